"""What is recorded, in which transaction, for which change."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest
import redis
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.test.utils import CaptureQueriesContext
from redis.backoff import NoBackoff
from redis.retry import Retry

from cases.models import Case, Individual, Tag
from cases.services import assessed
from deliveries.engine import doorbell
from deliveries.events import outbox
from deliveries.models import Event
from tests import factories
from workspaces.models import Workspace


def names(**filters: Any) -> list[str]:
    return list(Event.objects.filter(**filters).order_by("sequence", "id").values_list("name", flat=True))


def told(name: str, *fields: str) -> tuple[Any, ...]:
    """What the one event of this name says."""
    event = Event.objects.get(name=name)
    assert event.fields is not None
    return tuple(event.fields[field] for field in fields)


def forget() -> None:
    Event.objects.all().delete()


@pytest.fixture
def case(workspace: Workspace) -> Case:
    made = Case.objects.create(workspace=workspace, name="Dotfile")
    forget()
    return Case.objects.get(pk=made.pk)  # a copy that does not know that its transaction made it


def test_a_new_case_is_recorded_with_its_own_fields(workspace: Workspace) -> None:
    case = Case.objects.create(workspace=workspace, name="Dotfile", external_id="e-1")
    event = Event.objects.get()
    assert (event.name, event.workspace_id, event.case_id, event.sequence) == ("Case.Created", workspace.pk, case.pk, 1)
    assert event.fields is not None
    assert (event.fields["external_id"], event.fields["status"]) == ("e-1", "open")


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"status": "approved"}, ["Case.StatusUpdated"]),
        ({"name": "New"}, ["Case.InfoUpdated"]),
        ({"name": "New", "external_id": "e-2"}, ["Case.InfoUpdated"]),
        ({"custom_properties": {"size": 3}}, ["Case.InfoUpdated"]),
        ({"metadata": {"key": "value"}}, ["Case.MetadataUpdated"]),
        ({"risk": assessed(None, {"mode": "manual", "level": "high"})}, ["Case.RiskUpdated"]),
        ({"flags": ["for_recollection"]}, ["Case.FlagsUpdated"]),
        ({"contact_has_actions": True}, ["Case.ContactHasActionsUpdated"]),
        ({"status": "closed", "name": "New"}, ["Case.StatusUpdated", "Case.InfoUpdated"]),
        ({}, []),
        ({"name": "Dotfile"}, []),
    ],
)
def test_a_save_records_one_event_per_kind_of_change(case: Case, edit: dict[str, Any], expected: list[str]) -> None:
    for name, value in edit.items():
        setattr(case, name, value)
    case.save()
    assert names() == expected


def test_json_that_is_edited_in_place_is_seen(case: Case) -> None:
    case.custom_properties["size"] = 3
    case.save()
    assert names() == ["Case.InfoUpdated"]


def test_a_bulk_update_records_what_save_would_have(workspace: Workspace) -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(3)])
    assert names() == ["Case.Created"] * 3
    forget()
    assert Case.objects.filter(name__in=["case 1", "case 2"]).update(status="approved") == 2
    assert names() == ["Case.StatusUpdated"] * 2
    assert {event.fields["status"] for event in Event.objects.all() if event.fields} == {"approved"}


def test_bulk_update_of_objects_records_what_save_would_have(workspace: Workspace) -> None:
    cases = Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(3)])
    forget()
    cases[0].name, cases[1].status = "renamed", "closed"
    Case.objects.bulk_update(cases, ["name", "status"])
    assert sorted(names()) == ["Case.InfoUpdated", "Case.StatusUpdated"]
    cases[0].save()
    assert len(names()) == 2


def test_an_update_by_expression_records_what_came_of_it(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(name=Concat(F("name"), Value("!")))
    event = Event.objects.get()
    assert event.fields is not None
    assert (event.name, event.fields["name"]) == ("Case.InfoUpdated", "Dotfile!")


def test_a_bulk_update_that_changes_nothing_records_nothing(case: Case) -> None:
    assert Case.objects.update(status="open") == 1
    assert names() == []


def test_bulk_deletes_are_recorded_without_their_cascades(case: Case) -> None:
    Individual.objects.create(case=case, first_name="John", last_name="CARTER")
    forget()
    Case.objects.filter(pk=case.pk).delete()
    assert names() == ["Case.Deleted"]


def test_deleting_a_case_is_one_event(case: Case) -> None:
    Individual.objects.create(case=case, first_name="John", last_name="CARTER")
    forget()
    case.delete()
    assert names() == ["Case.Deleted"]


def test_tags_added_removed_renamed_and_cleared_are_events_of_the_case(case: Case, workspace: Workspace) -> None:
    tag = Tag.objects.create(workspace=workspace, label="High risk")
    case.tags.add(tag)
    tag.label = "Low risk"
    tag.save()
    case.tags.remove(tag)
    tag.cases.add(case)
    case.tags.clear()
    case.tags.clear()
    assert names() == ["Case.TagsUpdated"] * 5


@pytest.mark.parametrize("side", ["case", "tag"])
def test_a_tag_that_a_case_does_not_have_is_not_removed(case: Case, workspace: Workspace, side: str) -> None:
    tags = [Tag.objects.create(workspace=workspace, label=label) for label in ("High risk", "Low risk")]
    other = Case.objects.create(workspace=workspace, name="Other")
    case.tags.add(tags[0])
    forget()
    if side == "case":
        case.tags.remove(tags[1])
        assert names() == []
        case.tags.remove(*tags)
    else:
        tags[0].cases.remove(other)
        assert names() == []
        tags[0].cases.remove(case, other)
    assert list(Event.objects.values_list("name", "entity_id")) == [("Case.TagsUpdated", case.pk)]


@pytest.mark.parametrize("clear", [False, True])
@pytest.mark.parametrize("side", ["case", "tag"])
def test_tags_that_are_set_are_one_event_of_each_case(case: Case, workspace: Workspace, side: str, clear: bool) -> None:
    tags = [Tag.objects.create(workspace=workspace, label=label) for label in ("High risk", "Low risk")]
    other = Case.objects.create(workspace=workspace, name="Other")
    case.tags.add(tags[0])
    forget()
    if side == "case":
        case.tags.set(tags[1:], clear=clear)
        assert names() == ["Case.TagsUpdated"]
        case.tags.add(tags[0])
    else:
        tags[0].cases.set([other], clear=clear)
    assert names() == ["Case.TagsUpdated"] * 2


def test_tags_that_come_after_those_that_went_was_undone_are_an_event(case: Case, workspace: Workspace) -> None:
    tags = [Tag.objects.create(workspace=workspace, label=label) for label in ("High risk", "Low risk")]
    case.tags.add(tags[0])
    forget()
    with transaction.atomic():
        case.tags.remove(tags[0])
        transaction.set_rollback(True)
    case.tags.add(tags[1])
    assert names() == ["Case.TagsUpdated"]


@pytest.mark.django_db(transaction=True)
def test_tags_that_come_in_another_transaction_are_another_event(transactional_db: None) -> None:
    case = factories.case()
    tags = [factories.tag(case.workspace, label) for label in ("High risk", "Low risk")]
    case.tags.add(tags[0])
    forget()
    case.tags.remove(tags[0])
    case.tags.add(tags[1])
    assert names() == ["Case.TagsUpdated"] * 2


@pytest.mark.parametrize("many", [1, 3])
def test_tags_renamed_and_deleted_in_bulk_are_one_event_of_each_case(workspace: Workspace, many: int) -> None:
    tags = [Tag.objects.create(workspace=workspace, label=f"label {n}") for n in range(many)]
    for n in range(2):
        Case.objects.create(workspace=workspace, name=f"case {n}").tags.add(*tags)
    forget()
    Tag.objects.update(label=Concat(F("label"), Value("!")))
    assert names() == ["Case.TagsUpdated"] * 2
    for tag in tags:
        tag.label += "?"
    Tag.objects.bulk_update(tags, ["label"])
    assert names() == ["Case.TagsUpdated"] * 4
    Tag.objects.update(created_at=F("updated_at"))
    assert names() == ["Case.TagsUpdated"] * 4
    Tag.objects.all().delete()
    assert names() == ["Case.TagsUpdated"] * 6


def test_a_deleted_tag_is_an_event_of_its_cases(case: Case, workspace: Workspace) -> None:
    tag = Tag.objects.create(workspace=workspace, label="High risk")
    case.tags.add(tag)
    tag.delete()
    assert names() == ["Case.TagsUpdated"] * 2


@pytest.mark.parametrize("properties", [{"size": 10**25}, {"size": 2**63}, {1: 2}, {"share": 33.33}])
def test_what_the_database_can_hold_can_be_told(workspace: Workspace, properties: dict[Any, Any]) -> None:
    case = Case.objects.create(workspace=workspace, name="Dotfile", custom_properties=properties)
    expected = {str(key): value for key, value in properties.items()}
    assert told("Case.Created", "custom_properties") == (expected,)
    case.delete()
    assert told("Case.Deleted", "custom_properties") == (expected,)


def test_a_number_given_as_text_is_told_as_a_number(case: Case) -> None:
    factories.individual(case, ownership_percentage="50")
    assert told("Individual.Created", "ownership_percentage") == (50,)


def test_the_same_key_as_text_is_no_change_of_template(case: Case, workspace: Workspace) -> None:
    case.template = factories.template(workspace)
    case.save()
    forget()
    case.template_id = str(case.template.pk)  # as forms and scripts do
    case.save()
    assert names() == []


def test_a_copy_is_told_under_its_own_key(case: Case) -> None:
    case.pk = None  # as Django's documentation has it
    case._state.adding = True
    case.save()
    assert told("Case.Created", "id") == (str(case.pk),)


def test_a_row_that_is_gone_is_not_told_to_be_deleted_again(case: Case) -> None:
    twin = Case.objects.get()
    case.delete()
    twin.delete()
    assert names() == ["Case.Deleted"]


def test_tags_of_a_case_that_is_being_created_are_part_of_its_creation(workspace: Workspace) -> None:
    case = Case.objects.create(workspace=workspace, name="Dotfile")
    case.tags.add(Tag.objects.create(workspace=workspace, label="High risk"))
    assert names() == ["Case.Created"]


def test_events_of_a_case_are_numbered_without_gaps(case: Case) -> None:
    with transaction.atomic():
        for name in ("a", "b", "c"):
            case.name = name
            case.save()
    Case.objects.update(status="closed")
    assert list(Event.objects.order_by("id").values_list("sequence", flat=True)) == [2, 3, 4, 5]


def test_fixtures_record_nothing(workspace: Workspace) -> None:
    Case(workspace=workspace, name="from a fixture").save_base(raw=True)
    assert names() == []


def test_a_recorded_change_costs_one_statement_more(case: Case) -> None:
    case.name = "New"
    with CaptureQueriesContext(
        connection,
    ) as captured:
        case.save()
    writes = [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert [sql.strip().split()[0] for sql in writes] == ["UPDATE", "WITH"]


def test_two_thousand_rows_are_changed_in_few_statements(workspace: Workspace) -> None:
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(2000)])
    with CaptureQueriesContext(connection) as captured:
        Case.objects.update(status="closed")
    assert len(captured) <= 2 * 6 + 2
    assert Event.objects.filter(name="Case.StatusUpdated").count() == 2000


def test_the_repr_of_a_draft_shows_nobody(case: Case) -> None:
    assert "Dotfile" not in repr(outbox.Draft(name="Case.Created", entity_id=case.pk, fields={"name": "Dotfile"}))


# What follows needs real commits.


@pytest.mark.django_db(transaction=True)
def test_a_save_whose_event_cannot_be_written_changes_nothing(transactional_db: None) -> None:
    case = Case.objects.create(workspace=factories.workspace(), name="Dotfile")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE deliveries_event RENAME TO deliveries_event_away")
    try:
        case.status = "approved"
        with pytest.raises(DatabaseError):
            case.save()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE deliveries_event_away RENAME TO deliveries_event")
    assert Case.objects.get().status == "open"
    case.save()  # the copy in hand still knows that its change was never written
    assert Case.objects.get().status == "approved"
    assert names(name="Case.StatusUpdated") == ["Case.StatusUpdated"]


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_change_records_nothing_and_may_be_saved_again(transactional_db: None) -> None:
    case = Case.objects.create(workspace=factories.workspace(), name="Dotfile")
    with transaction.atomic():
        case.status = "approved"
        case.save()
        transaction.set_rollback(True)
    assert names() == ["Case.Created"]
    case.save()
    assert Case.objects.get().status == "approved"
    assert names() == ["Case.Created", "Case.StatusUpdated"]


@pytest.mark.django_db(transaction=True)
def test_a_stale_copy_does_not_undo_a_status(transactional_db: None) -> None:
    case = Case.objects.create(workspace=factories.workspace(), name="Dotfile")
    stale = Case.objects.get(pk=case.pk)
    case.status = "approved"
    case.save()
    stale.name = "New name"
    stale.save()
    found = Case.objects.get()
    assert (found.status, found.name) == ("approved", "New name")
    assert told("Case.InfoUpdated", "status", "name") == ("approved", "New name")
    assert names() == ["Case.Created", "Case.StatusUpdated", "Case.InfoUpdated"]


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_not_told_by_a_later_event(transactional_db: None) -> None:
    workspace = factories.workspace()
    case = Case.objects.create(workspace=workspace, name="Dotfile")
    with transaction.atomic():
        case.name, case.status = "Never", "approved"
        case.save()
        transaction.set_rollback(True)
    case.tags.add(factories.tag(workspace, "High risk"))
    assert told("Case.TagsUpdated", "status", "name") == ("open", "Dotfile")
    case.delete()
    assert told("Case.Deleted", "status", "name") == ("open", "Dotfile")


@pytest.mark.django_db(transaction=True)
def test_a_deep_copy_made_before_the_commit_tells_of_its_tags_after_it(transactional_db: None) -> None:
    workspace = factories.workspace()
    with transaction.atomic():
        twin = copy.deepcopy(Case.objects.create(workspace=workspace, name="Dotfile"))
    twin.tags.add(factories.tag(workspace, "High risk"))
    assert names() == ["Case.Created", "Case.TagsUpdated"]


@pytest.mark.django_db(transaction=True)
def test_a_transaction_rings_once(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case.objects.create(workspace=factories.workspace(), name="Dotfile")
    rings: list[int] = []
    monkeypatch.setattr(doorbell, "ring", lambda: rings.append(len(names())))
    with transaction.atomic():
        for number in range(10):
            case.name = f"case {number}"
            case.save()
        for number in range(10):
            with transaction.atomic():
                case.name = f"inner case {number}"
                case.save()
    assert rings == [21]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["undone", "kept"])
def test_a_savepoint_that_is_undone_takes_no_ring_with_it(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    case = Case.objects.create(workspace=factories.workspace(), name="Dotfile")
    rings: list[int] = []
    monkeypatch.setattr(doorbell, "ring", lambda: rings.append(len(names())))

    def change(name: str, undo: bool) -> None:
        with transaction.atomic():
            case.name = name
            case.save()
            transaction.set_rollback(undo)

    with transaction.atomic():
        change("a", first == "undone")
        change("b", first == "kept")
    assert set(rings) == {2}


@pytest.mark.django_db(transaction=True)
def test_two_who_approve_at_once_give_one_status_event(transactional_db: None) -> None:
    case = Case.objects.create(workspace=factories.workspace(), name="Dotfile")
    copies = [Case.objects.get(pk=case.pk) for _ in range(4)]
    together = threading.Barrier(len(copies))

    def approve(copy: Case) -> None:
        try:
            copy.status = "approved"
            together.wait(60)
            copy.save()
        finally:
            connection.close()

    threads = [threading.Thread(target=approve, args=[copy]) for copy in copies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert names() == ["Case.Created", "Case.StatusUpdated"]


def test_an_outage_of_redis_is_one_line_of_log_not_one_for_each_change(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bell = doorbell.Doorbell(redis.Redis(port=1, retry=Retry(NoBackoff(), 0)))
    monkeypatch.setattr(doorbell, "doorbell", lambda: bell)
    for _ in range(3):
        outbox.wake()
    assert [record.getMessage() for record in caplog.records] == [
        "no worker could be woken (ConnectionError); the sweep will"
    ]
