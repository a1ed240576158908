"""What is refused of cases and of those in them, on every way to a write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, Value
from django.db.models.functions import Concat

from cases.models import Case, CaseReview, CaseStatus, Company, Individual
from cases.models.rules import DECISIONS, EDITABLE
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

Write = Callable[[Model, dict[str, Any]], Any]


def saved(row: Any, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


def updated(row: Any, fields: dict[str, Any]) -> None:
    type(row).objects.filter(pk=row.pk).update(**fields)


def bulk_updated(row: Any, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    type(row).objects.bulk_update([row], list(fields))


WAYS = pytest.mark.parametrize("write", [saved, updated, bulk_updated])


def names() -> list[str]:
    return list(Event.objects.order_by("sequence").values_list("name", flat=True))


def refused(write: Callable[[], object], sentence: str) -> None:
    """It is refused, and the transaction goes on with nothing told."""
    before = names()
    with transaction.atomic(), pytest.raises(ValidationError, match=sentence):
        write()
    assert names() == before


@WAYS
@pytest.mark.parametrize("before", CaseStatus.values)
@pytest.mark.parametrize("after", CaseStatus.values)
def test_the_ways_from_status_to_status_are_those_of_reviews_and_edits(write: Write, before: str, after: str) -> None:
    case = factories.case(status=before)
    if after in EDITABLE or after in DECISIONS[before] or after == before:
        write(case, {"status": after})
        expected = ["Case.Created"] if before == after else ["Case.Created", "Case.StatusUpdated"]
        assert (Case.objects.get().status, names()) == (after, expected)
    else:
        refused(lambda: write(case, {"status": after}), "cannot be")
        assert Case.objects.get().status == before


@WAYS
def test_a_status_that_does_not_exist_is_refused(write: Write) -> None:
    case = factories.case()
    refused(lambda: write(case, {"status": "done"}), "Use one of draft")


@WAYS
@pytest.mark.parametrize("status", ["approved", "rejected", "closed"])
def test_a_case_that_code_decides_has_a_review_of_the_system(write: Write, status: str) -> None:
    case = factories.case()
    write(case, {"status": status})
    review = CaseReview.objects.get()
    assert (review.case_id, review.status, review.reviewer_type, review.user) == (case.pk, status, "system", None)


@WAYS
def test_an_edit_is_no_decision(write: Write) -> None:
    write(factories.case(), {"status": "draft"})
    assert not CaseReview.objects.exists()


@pytest.mark.parametrize("bulk", [False, True])
def test_a_case_that_is_created_decided_has_a_review(bulk: bool) -> None:
    case = Case(workspace=factories.workspace(), name="Imported", status="approved")
    Case.objects.bulk_create([case]) if bulk else case.save()
    assert [review.status for review in case.reviews.all()] == ["approved"]


def test_one_that_may_not_change_keeps_all_others_as_they_are() -> None:
    workspace = factories.workspace()
    factories.case(workspace)
    factories.case(workspace, status="draft")
    refused(lambda: Case.objects.update(status="approved"), "A case that is draft cannot be approved")
    assert not Case.objects.filter(status="approved").exists()
    assert not CaseReview.objects.exists()


@WAYS
def test_templates_and_assignees_are_the_workspaces_own(write: Write) -> None:
    case = factories.case()
    member, stranger = factories.user(case.workspace), factories.user(factories.workspace())
    own, other = factories.template(case.workspace), factories.template(stranger.workspaces.get())
    write(case, {"assignee": member, "template": own})
    assert names() == ["Case.Created", "Case.TemplateUpdated", "Case.AssigneeUpdated"]
    case = Case.objects.get()
    refused(lambda: write(case, {"assignee": stranger}), "not a member")
    refused(lambda: write(Case.objects.get(), {"template": other}), "another workspace")


def test_a_new_case_is_not_assigned_to_a_stranger() -> None:
    workspace, stranger = factories.workspace(), factories.user()
    refused(lambda: factories.case(workspace, assignee=stranger), "not a member")


def test_a_case_keeps_an_assignee_who_left_the_workspace() -> None:
    case = factories.case()
    saved(case, {"assignee": factories.user(case.workspace)})
    case.workspace.members.clear()
    saved(Case.objects.get(), {"name": "New"})
    assert Case.objects.get().name == "New"


@pytest.mark.parametrize("side", ["case", "tag"])
def test_tags_of_another_workspace_are_refused(side: str) -> None:
    case, tag = Case.objects.get(pk=factories.case().pk), factories.tag(factories.workspace(), "a")
    with pytest.raises(ValidationError, match="another workspace"), transaction.atomic():
        case.tags.add(tag) if side == "case" else tag.cases.add(case)
    assert (list(case.tags.all()), names()) == ([], ["Case.Created"])


@WAYS
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"metadata": {"count": 42}}, "text by key"),
        ({"metadata": ["a"]}, "text by key"),
        ({"metadata": "a"}, "text by key"),
        ({"custom_properties": {"a": {"b": 1}}}, "a list of texts"),
        ({"custom_properties": {"a": [1]}}, "a list of texts"),
        ({"custom_properties": []}, "a list of texts"),
    ],
)
def test_columns_hold_what_the_api_can_show(write: Write, fields: dict[str, Any], sentence: str) -> None:
    case = factories.case()
    refused(lambda: write(case, fields), sentence)


@WAYS
@pytest.mark.parametrize("value", ["\0", "\ud800"])
@pytest.mark.parametrize("name", ["name", "metadata", "custom_properties"])
def test_text_that_cannot_be_stored_is_refused(write: Write, name: str, value: str) -> None:
    case = factories.case()
    refused(lambda: write(case, {name: value if name == "name" else {"a": value}}), "cannot be stored")


@WAYS
@pytest.mark.parametrize(
    ("make", "fields", "sentence"),
    [
        (factories.case, {"external_id": "x" * 256}, "at most 255"),
        (factories.case, {"name": "x" * 181}, "at most 180"),
        (factories.case, {"flags": ["for_ever"]}, "Use all_checks_approved"),
    ],
)
def test_columns_hold_what_they_declare(
    write: Write, make: Callable[[], Model], fields: dict[str, Any], sentence: str
) -> None:
    row = make()
    refused(lambda: write(row, fields), sentence)


@WAYS
@pytest.mark.parametrize("kind", ["external_id", "key", "label"])
def test_what_another_row_has_is_refused_with_a_sentence(write: Write, kind: str) -> None:
    workspace = factories.workspace()
    make: Callable[[str], Any] = {
        "external_id": lambda value: factories.case(workspace, external_id=value),
        "key": lambda value: factories.template(workspace, value),
        "label": lambda value: factories.tag(workspace, value),
    }[kind]
    make("taken")
    refused(lambda: make("taken"), "of this workspace has this")
    row = make("free")
    refused(lambda: write(row, {kind: "taken"}), "of this workspace has this")
    row.refresh_from_db()
    assert getattr(row, kind) == "free"


def test_a_row_that_was_refused_can_be_mended_and_saved() -> None:
    workspace = factories.workspace()
    factories.case(workspace, external_id="taken")
    case = Case(workspace=workspace, name="Dotfile", external_id="taken")
    refused(case.save, "has this external_id")
    case.external_id = "free"
    case.save()
    assert names() == ["Case.Created", "Case.Created"]


@WAYS
@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"is_delegator": True, "is_signatory": True, "email": "a@example.com"}, "both delegator and signatory"),
        ({"is_business_contact": True}, "needs an email"),
        ({"is_relevant": False, "is_delegator": True}, "cannot be delegator"),
        ({"custom_properties": {"a": {}}}, "a list of texts"),
    ],
)
def test_what_an_individual_may_be(write: Write, fields: dict[str, Any], sentence: str) -> None:
    person = factories.individual()
    refused(lambda: write(person, fields), sentence)


@WAYS
@pytest.mark.parametrize("make", [factories.individual, factories.company])
def test_people_and_companies_keep_their_case(write: Write, make: Callable[[], Any]) -> None:
    row, other = make(), factories.case()
    refused(lambda: write(row, {"case": other}), "keep their case")


@pytest.mark.parametrize("bulk", [False, True])
def test_a_new_individual_who_breaks_a_rule_is_refused(bulk: bool) -> None:
    person = Individual(case=factories.case(), first_name="A", last_name="B", is_signatory=True)
    refused(lambda: Individual.objects.bulk_create([person]) if bulk else person.save(), "needs an email")


@WAYS
def test_the_early_role_means_beneficial_owner_on_every_way(write: Write) -> None:
    write(factories.individual(), {"roles": ["beneficial_owner"]})
    assert Individual.objects.get().is_beneficial_owner
    assert names()[-1] == "Individual.InfoUpdated"


# --- Companies --------------------------------------------------------------------------------------------------------


@pytest.fixture
def firms() -> tuple[Company, Company]:
    """The main company of a case, and an affiliated one."""
    case = factories.case()
    return factories.company(case), factories.company(case, type="affiliated")


@pytest.mark.parametrize("bulk", [False, True])
def test_a_second_main_company_is_refused(firms: tuple[Company, Company], bulk: bool) -> None:
    other = Company(case=firms[0].case, name="Other")
    refused(lambda: Company.objects.bulk_create([other]) if bulk else other.save(), "only one main")


@pytest.mark.parametrize("bulk", [False, True])
def test_an_affiliated_company_comes_after_the_main_one(bulk: bool) -> None:
    firm = Company(case=factories.case(), name="First", type="affiliated")
    refused(lambda: Company.objects.bulk_create([firm]) if bulk else firm.save(), "Create the main company")


def test_both_may_come_at_once() -> None:
    case = factories.case()
    Company.objects.bulk_create([Company(case=case, name=kind, type=kind) for kind in ("affiliated", "main")])
    assert case.companies.count() == 2


@WAYS
def test_the_main_company_does_not_become_affiliated(firms: tuple[Company, Company], write: Write) -> None:
    refused(lambda: write(firms[0], {"type": "affiliated"}), "The main company stays")


@WAYS
def test_an_affiliated_company_does_not_become_a_second_main_one(firms: tuple[Company, Company], write: Write) -> None:
    refused(lambda: write(firms[1], {"type": "main"}), "only one main")


@WAYS
def test_the_main_company_is_always_relevant(firms: tuple[Company, Company], write: Write) -> None:
    refused(lambda: write(firms[0], {"is_relevant": False}), "always relevant")


@pytest.mark.parametrize("bulk", [False, True])
def test_the_main_company_is_not_deleted_before_the_others(firms: tuple[Company, Company], bulk: bool) -> None:
    main, other = firms
    refused(lambda: Company.objects.filter(pk=main.pk).delete() if bulk else main.delete(), "The main company stays")
    other.delete()
    main.delete()
    assert not Company.objects.exists()


@pytest.mark.parametrize("gone", [lambda firm: firm.case.delete(), lambda firm: Company.objects.all().delete()])
def test_all_companies_may_go_at_once(firms: tuple[Company, Company], gone: Callable[[Company], object]) -> None:
    gone(firms[0])
    assert not Company.objects.exists()


def test_an_expression_is_judged_by_what_came_of_it() -> None:
    case = factories.case(external_id="x" * 250)
    refused(lambda: updated(case, {"status": Concat("status", Value("?"))}), "Use one of draft")


def test_what_follows_is_written_with_a_save_of_some_fields() -> None:
    person = factories.individual()
    person.roles = ["beneficial_owner"]
    person.save(update_fields=["roles"])
    assert Individual.objects.get().is_beneficial_owner
