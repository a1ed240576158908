"""Which documents a workspace collects."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from checks import projection, services
from checks.data import STANDARD
from checks.models import Check, DocumentType
from tests import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db


def start(key: str, of: Any = None) -> Check:
    return services.start_check(of or factories.individual(), "document", {"document_type_key": key})


def own(workspace: Workspace, key: str = "union_card", **fields: Any) -> DocumentType:
    return DocumentType.objects.create(
        **{"workspace": workspace, "key": key, "label": "Union card", "target_entities": ["individual"], **fields}
    )


def test_standard_types_are_there_when_they_are_needed() -> None:
    check = start("passport")
    types = DocumentType.objects.filter(workspace=check.case.workspace)
    assert {row.key for row in types} == STANDARD.keys()
    start("iban", check.individual)
    assert types.count() == len(STANDARD)


def test_a_check_shows_its_type_as_it_was() -> None:
    person = factories.individual()
    made = own(person.case.workspace, is_internal=True)
    check = start("union_card", person)
    made.label = "Membership"
    made.save()
    shown = projection.check(Check.objects.filter(pk=check.pk).values()[0])["data"]["settings"]["document_type"]
    assert (shown["id"], shown["key"], shown["label"]) == (str(made.pk), "union_card", "Union card")
    assert (shown["target_entities"], shown["is_internal"], shown["archived_at"]) == (["individual"], True, None)


def test_the_type_that_is_shown_is_the_workspaces_own() -> None:
    stranger = own(factories.workspace("Other"), "passport", label="Not yours")
    given = {"document_type_key": "passport", "document_type": {"id": str(stranger.pk), "label": "Not yours"}}
    check = services.start_check(factories.individual(), "document", given)
    assert check.data["settings"]["document_type"]["label"] == "Passport"


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("pasport", "There is no document type pasport. Did you mean passport?"),
        ("union_cart", "Did you mean union_card?"),
        ("zzz", "There is no document type zzz."),
        ("old_card", "The document type old_card is archived."),
        ("articles_of_association", "articles_of_association is not of individuals."),
    ],
)
def test_a_type_that_does_not_do_is_refused_with_a_sentence(key: str, sentence: str) -> None:
    person = factories.individual()
    own(person.case.workspace)
    own(person.case.workspace, "old_card", archived_at=timezone.now())
    with pytest.raises(ValidationError) as refusal:
        start(key, person)
    assert sentence in refusal.value.messages[0]
    assert not Check.objects.exists()


def test_another_workspaces_type_is_unknown() -> None:
    own(factories.workspace("Other"), "zzz_card")
    with pytest.raises(ValidationError) as refusal:
        start("zzz_card")
    assert refusal.value.messages == ["There is no document type zzz_card."]


def test_an_archived_standard_type_stays_archived() -> None:
    check = start("passport")
    DocumentType.objects.filter(key="passport").update(archived_at=timezone.now())
    with pytest.raises(ValidationError, match="archived"):
        start("passport", check.individual)


def test_a_key_is_unique_in_its_workspace() -> None:
    workspace = factories.workspace()
    own(workspace)
    own(factories.workspace("Other"))
    with transaction.atomic(), pytest.raises(ValidationError, match="has this key"):
        own(workspace)


@pytest.mark.parametrize("key", ["Card", "1card", "a-b", "", "é", "a\n"])
def test_a_key_is_plain(key: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        DocumentType(workspace=factories.workspace(), key=key, label="X", target_entities=["company"]).full_clean()
    assert "key" in refusal.value.message_dict


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"key": "Union Card"}, "Use small letters, digits and _"),
        ({"target_entities": ["ship"]}, "Use company, individual."),
        ({"target_entities": ["company", "company"]}, "Name one or more of company, individual, each once."),
        ({"target_entities": []}, "Name one or more of company, individual, each once."),
        ({"label": " "}, "Give the document type a label."),
        ({"label": "x" * 256}, "at most 255 characters"),
    ],
)
def test_what_checks_could_not_show_is_refused_in_code_too(values: dict[str, Any], sentence: str) -> None:
    workspace = factories.workspace()
    with pytest.raises(ValidationError, match=sentence):
        own(workspace, **values)
    made = own(workspace, "residence")
    for name in values.keys() - {"key"}:
        setattr(made, name, values[name])
        with pytest.raises(ValidationError, match=sentence):
            made.save()
        if len(str(values[name])) < 255:  # the database says that of bulk changes itself
            with pytest.raises(ValidationError, match=sentence):
                DocumentType.objects.update(**values)
    assert list(DocumentType.objects.values_list("label", "target_entities")) == [("Union card", ["individual"])]


@pytest.mark.parametrize("name", ["key", "workspace"])
def test_what_checks_find_a_type_by_stays(name: str) -> None:
    own(factories.workspace())
    with pytest.raises(ValidationError, match=f"A document type keeps its {name}"):
        DocumentType.objects.update(**{name: "other" if name == "key" else factories.workspace()})


def test_many_checks_look_their_types_up_at_once(django_assert_max_num_queries: Any) -> None:
    people = [factories.individual(factories.case()) for _ in range(10)]
    made = [Check(type="document", individual_id=person.pk, document_type_key="passport") for person in people]
    with django_assert_max_num_queries(30):
        Check.objects.bulk_create(made)
    assert {check.data["settings"]["document_type"]["key"] for check in Check.objects.all()} == {"passport"}


def test_types_are_edited_in_the_admin(admin_client: Any) -> None:
    workspace = factories.workspace()
    sent = {"workspace": str(workspace.pk), "key": "union_card", "label": "Union card", "target_entities": "company"}
    admin_client.post("/admin/checks/documenttype/add/", sent)
    made = DocumentType.objects.get()
    assert (made.key, made.target_entities) == ("union_card", ["company"])
    for path in ("", "?q=a", "add/", f"{made.pk}/change/"):
        assert admin_client.get(f"/admin/checks/documenttype/{path}").status_code == 200
    page = admin_client.post("/admin/checks/documenttype/add/", sent | {"target_entities": []}).content.decode()
    twice = admin_client.post(
        "/admin/checks/documenttype/add/", sent | {"key": "b", "target_entities": ["company"] * 2}
    )
    assert "each once." in twice.content.decode()
    assert "This field is required." in page
    assert "Another document type of this workspace has this key." in page
