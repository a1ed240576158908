"""Cases in the admin."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from cases.models import Case, Individual
from tests import factories
from tests.workspaces.staff import viewer

pytestmark = pytest.mark.django_db


def form(case: Case, **fields: Any) -> dict[str, Any]:
    """What the page of a case sends."""
    empty = {
        f"{name}-{part}": "0"
        for name in ("individuals", "companies", "reviews", "notes")
        for part in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")
    }
    return {**empty, "name": case.name, "status": case.status, "custom_properties": "{}", "metadata": "null", **fields}


def act(client: Client, action: str, *cases: Case) -> str:
    sent = {"action": action, "_selected_action": [str(case.pk) for case in cases]}
    return client.post("/admin/cases/case/", sent, follow=True).content.decode()


def status(case: Case) -> str:
    return Case.objects.get(pk=case.pk).status


def test_a_case_is_edited(admin_client: Client) -> None:
    case = factories.case()
    answer = admin_client.post(f"/admin/cases/case/{case.pk}/change/", form(case, name="New", status="draft"))
    assert answer.status_code == 302
    assert (Case.objects.get(pk=case.pk).name, status(case)) == ("New", "draft")


@pytest.mark.parametrize("wanted", ["approved", "rejected", "closed"])
def test_a_decision_cannot_be_typed_in(admin_client: Client, wanted: str) -> None:
    case = factories.case()
    page = admin_client.post(f"/admin/cases/case/{case.pk}/change/", form(case, status=wanted)).content.decode()
    assert "Set a case to draft or open here" in page
    assert status(case) == "open"


def test_an_approved_case_can_be_renamed_and_stays_approved(admin_client: Client) -> None:
    case = factories.case(status="approved")
    admin_client.post(f"/admin/cases/case/{case.pk}/change/", form(case, name="New"))
    assert (Case.objects.get(pk=case.pk).name, status(case)) == ("New", "approved")


@pytest.mark.parametrize(("action", "after"), [("approve", "approved"), ("reject", "rejected"), ("close", "closed")])
def test_an_action_decides_and_keeps_who_did(admin_client: Client, action: str, after: str) -> None:
    case = factories.case()
    act(admin_client, action, case)
    assert status(case) == after
    assert case.reviews.get().user is not None


def test_a_decision_that_is_refused_is_told_and_the_others_are_made(admin_client: Client) -> None:
    approved, fresh = factories.case(name="Old", status="approved"), factories.case(name="Fresh")
    page = act(admin_client, "approve", approved, fresh)
    assert "Old: The case is already approved." in page
    assert status(fresh) == "approved"


def test_another_workspaces_template_is_refused(admin_client: Client) -> None:
    case, other = factories.case(), factories.template(factories.workspace())
    sent = form(case, template=str(other.pk))
    page = admin_client.post(f"/admin/cases/case/{case.pk}/change/", sent).content.decode()
    assert "This template belongs to another workspace." in page


@pytest.mark.parametrize("name", ["case", "individual", "company", "tag", "template"])
def test_lists_forms_and_pages_open(admin_client: Client, name: str) -> None:
    case = factories.case()
    factories.tag(case.workspace, "a")
    factories.template(case.workspace)
    rows = {"case": case, "individual": factories.individual(case), "company": factories.company(case)}
    assert admin_client.get(f"/admin/cases/{name}/?q=a").status_code == 200
    assert admin_client.get(f"/admin/cases/{name}/add/").status_code == 200
    if name in rows:
        assert admin_client.get(f"/admin/cases/{name}/{rows[name].pk}/change/").status_code == 200


@pytest.mark.parametrize("action", ["approve", "reject", "close"])
def test_who_may_only_look_cannot_decide(action: str) -> None:
    case, client = factories.case(), viewer(Case)
    act(client, action, case)
    assert status(case) == "open"
    assert "from_page" not in client.get(f"/admin/cases/case/{case.pk}/change/").content.decode()


@pytest.mark.parametrize(
    ("before", "offered"), [("draft", ["close"]), ("open", ["approve", "reject", "close"]), ("closed", [])]
)
def test_the_page_offers_the_verdicts_that_are_possible(admin_client: Client, before: str, offered: list[str]) -> None:
    case = factories.case(status=before)
    page = admin_client.get(f"/admin/cases/case/{case.pk}/change/").content.decode()
    assert re.findall(r'name="action" value="(\w+)"', page) == offered


def test_a_button_decides_and_comes_back_to_its_page(admin_client: Client) -> None:
    case = factories.case()
    sent = {"action": "approve", "_selected_action": str(case.pk), "from_page": "1"}
    answer = admin_client.post("/admin/cases/case/", sent, follow=True)
    assert answer.redirect_chain == [(f"/admin/cases/case/{case.pk}/change/", 302)]
    assert status(case) == "approved"


def page_of(row: Model) -> str:
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def sent_by(client: Client, row: Model) -> dict[str, Any]:
    """What a browser would send of this page when nobody typed anything."""
    context = client.get(page_of(row)).context
    forms = [context["adminform"].form, *(f.formset.management_form for f in context["inline_admin_formsets"])]
    values = {form[name].html_name: form[name].value() for form in forms for name in form.fields}
    told = [form[name] for form in forms for name, field in form.fields.items() if field.show_hidden_initial]
    values |= {field.html_initial_name: field.value() for field in told}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def row_of(kind: str) -> Model:
    case = factories.case()
    return {"case": case, "individual": factories.individual(case), "company": factories.company(case)}[kind]


@pytest.mark.parametrize("kind", ["case", "individual", "company"])
def test_a_page_that_is_saved_as_it_is_changes_nothing(admin_client: Client, kind: str) -> None:
    row = row_of(kind)
    before = type(row)._default_manager.values().get()
    assert admin_client.post(page_of(row), sent_by(admin_client, row)).status_code == 302
    assert type(row)._default_manager.values().get() == before


@pytest.mark.parametrize(
    ("kind", "field", "text", "stored"),
    [
        ("case", "custom_properties", "", {}),
        ("case", "custom_properties", "null", {}),
        ("case", "custom_properties", '{"a": [1]}', None),
        ("case", "custom_properties", '{"a": 1e20}', None),
        ("case", "custom_properties", '{"a": NaN}', None),
        ("case", "custom_properties", '{"a": "\\u0000"}', None),
        ("case", "custom_properties", '{"a": "\\ud800"}', None),
        ("case", "custom_properties", '{"a": 1.5, "b": ["c"], "d": null}', {"a": 1.5, "b": ["c"], "d": None}),
        ("case", "metadata", "", None),
        ("case", "metadata", '{"a": "\\u0000"}', "refused"),
        ("case", "metadata", "[1, 2]", "refused"),
        ("case", "metadata", '{"a": "b"}', {"a": "b"}),
        ("individual", "custom_properties", "", {}),
        ("individual", "address", "", {}),
        ("individual", "address", '{"city": "Bayonne", "state": ""}', {"city": "Bayonne"}),
        ("individual", "address", '{"country": "FRA"}', None),
        ("individual", "banking_information", "", None),
        ("individual", "banking_information", '{"iban": 1}', "refused"),
        ("company", "classifications", "", []),
        ("company", "classifications", "{}", None),
        ("company", "classifications", '[{"type": "nace"}]', None),
        ("company", "classifications", '[{"type": "nace", "code": "1"}]', [{"type": "nace", "code": "1"}]),
        ("company", "banking_information", "", {}),
        ("company", "banking_information", "[]", None),
    ],
)
def test_json_is_checked_as_the_api_checks_it(
    admin_client: Client, kind: str, field: str, text: str, stored: Any
) -> None:
    row = row_of(kind)
    nullable = row._meta.get_field(field).null
    refused = stored == "refused" or (stored is None and not nullable)
    answer = admin_client.post(page_of(row), {**sent_by(admin_client, row), field: text})
    assert answer.status_code == (200 if refused else 302)
    after = type(row)._default_manager.values_list(field, flat=True).get()
    assert after == (getattr(row, field) if refused else stored)


def test_flags_and_roles_are_ticked(admin_client: Client) -> None:
    case = factories.case()
    person = factories.individual(case)
    admin_client.post(page_of(case), {**sent_by(admin_client, case), "flags": ["for_recollection"]})
    admin_client.post(page_of(person), {**sent_by(admin_client, person), "roles": ["shareholder"]})
    assert Case.objects.get().flags == ["for_recollection"]
    assert Individual.objects.get().roles == ["shareholder"]
    page = admin_client.post(page_of(case), {**sent_by(admin_client, case), "flags": ["other"]})
    assert "flags" in page.context["adminform"].form.errors


def test_only_members_of_the_workspace_are_assigned(admin_client: Client) -> None:
    case = factories.case()
    stranger, member = factories.user(), factories.user(case.workspace)
    sent = sent_by(admin_client, case)
    page = admin_client.post(page_of(case), {**sent, "assignee": str(stranger.pk)}).content.decode()
    assert "This person is not a member" in page
    assert admin_client.post(page_of(case), {**sent, "assignee": str(member.pk)}).status_code == 302
    assert Case.objects.get().assignee == member


@pytest.mark.parametrize("kind", ["tag", "template"])
def test_what_cases_use_stays_in_its_workspace(admin_client: Client, kind: str) -> None:
    home, other = factories.workspace("Home"), factories.workspace("Other")
    row: Any = factories.tag(home, "a") if kind == "tag" else factories.template(home)
    sent = {"label": "b", "name": "b", "key": "b", "description": "", "workspace": str(other.pk)}
    assert admin_client.post(page_of(row), sent).status_code == 302
    row.refresh_from_db()
    assert (str(row), row.workspace) == ("b", home)
