"""The ground of the domain: what save() and bulk operations write, remember and tell."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError, NotSupportedError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.db.models.signals import post_save, pre_delete
from django.test.utils import CaptureQueriesContext

from cases.models import Case, Tag, Template
from tests import factories
from workspaces import bulk
from workspaces.changes import Change, rows_changed, rows_deleted
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return factories.workspace()


@pytest.fixture
def tag(workspace: Workspace) -> Tag:
    return Tag.objects.create(workspace=workspace, label="High risk")


@pytest.fixture
def told() -> Iterator[list[Change]]:
    """The changes that bulk operations announced."""
    changes: list[Change] = []

    def listen(sender: Any, **kwargs: Any) -> None:
        changes.extend(kwargs["changes"])

    rows_changed.connect(listen)
    yield changes
    rows_changed.disconnect(listen)


def test_a_save_without_a_difference_costs_no_statement(tag: Tag) -> None:
    with CaptureQueriesContext(connection) as captured:
        tag.save()
    assert [query["sql"] for query in captured if "cases_tag" in query["sql"]] == []


def test_a_save_writes_only_what_differs(tag: Tag) -> None:
    stale = Tag.objects.get(pk=tag.pk)
    Tag.objects.filter(pk=tag.pk).update(label="Low risk")
    stale.save()
    assert Tag.objects.get().label == "Low risk"


def test_a_save_tells_what_the_fields_were(workspace: Workspace) -> None:
    template = Template.objects.create(workspace=workspace, key="kyb", name="KYB")
    assert template.change == Change(template, None)
    template.name, template.description = "KYB 2", "New"
    template.save()
    assert template.change == Change(template, {"name": "KYB", "description": ""})


def test_update_fields_leave_the_other_edits_unsaved_and_known(workspace: Workspace) -> None:
    template = Template.objects.create(workspace=workspace, key="kyb", name="KYB")
    template.name, template.description = "KYB 2", "New"
    template.save(update_fields=["name"])
    assert template.stored()["description"] == ""
    template.save()
    assert template.change == Change(template, {"description": ""})


def test_an_expression_is_computed_by_the_database_and_read_back(tag: Tag, told: list[Change]) -> None:
    tag.label = Concat(F("label"), Value("!"))
    tag.save()
    assert tag.label == "High risk!"
    assert [change.before for change in told] == [{"label": "High risk"}]


def test_a_deferred_field_is_neither_loaded_nor_written(tag: Tag) -> None:
    lean = Tag.objects.only("id").get(pk=tag.pk)
    lean.save()
    lean.label = "Low risk"
    lean.save()
    assert Tag.objects.get().label == "Low risk"


def test_refreshing_forgets_edits(tag: Tag) -> None:
    tag.label = "Low risk"
    tag.refresh_from_db()
    with CaptureQueriesContext(connection) as captured:
        tag.save()
    assert [query["sql"] for query in captured if "UPDATE" in query["sql"]] == []


def test_saving_a_row_that_is_gone_does_not_bring_it_back(tag: Tag) -> None:
    Tag.objects.filter(pk=tag.pk).delete()
    tag.label = "Low risk"
    with pytest.raises(DatabaseError), transaction.atomic():
        tag.save()
    assert not Tag.objects.exists()


def test_a_receiver_that_fails_undoes_the_write_and_the_memory_of_it(tag: Tag) -> None:
    def fail(**kwargs: Any) -> None:
        raise RuntimeError("no")

    post_save.connect(fail, sender=Tag)
    try:
        tag.label = "Low risk"
        with pytest.raises(RuntimeError), transaction.atomic():
            tag.save()
    finally:
        post_save.disconnect(fail, sender=Tag)
    assert Tag.objects.get().label == "High risk"
    tag.save()
    assert Tag.objects.get().label == "Low risk"


def test_a_row_created_in_a_rolled_back_transaction_can_be_saved_again(workspace: Workspace) -> None:
    with transaction.atomic():
        tag = Tag.objects.create(workspace=workspace, label="High risk")
        transaction.set_rollback(True)
    tag.save()
    assert Tag.objects.get() == tag
    assert tag.change == Change(tag, None)


def test_a_savepoint_that_was_rolled_back_is_not_remembered(tag: Tag) -> None:
    with transaction.atomic():
        tag.label = "Low risk"
        tag.save()
        transaction.set_rollback(True)
    tag.save()
    assert Tag.objects.get().label == "Low risk"


def undone_by_an_outer_block(write: Callable[[], Any]) -> None:
    with transaction.atomic():
        write()
        transaction.set_rollback(True)


def undone_with_an_inner_block_that_stood(write: Callable[[], Any]) -> None:
    with transaction.atomic():
        with transaction.atomic():
            write()
        transaction.set_rollback(True)


def undone_by_hand(write: Callable[[], Any]) -> None:
    mark = transaction.savepoint()
    write()
    transaction.savepoint_rollback(mark)


UNDONE = [undone_by_an_outer_block, undone_with_an_inner_block_that_stood, undone_by_hand]


@pytest.mark.parametrize("undo", UNDONE)
def test_what_was_undone_is_written_by_the_next_save(tag: Tag, undo: Callable[..., None]) -> None:
    tag.label = "Low risk"
    undo(tag.save)
    tag.save()
    assert Tag.objects.get().label == "Low risk"


@pytest.mark.parametrize("undo", UNDONE)
def test_what_was_created_in_bulk_and_undone_is_made_by_save(workspace: Workspace, undo: Callable[..., None]) -> None:
    tag = Tag(workspace=workspace, label="High risk")
    undo(lambda: Tag.objects.bulk_create([tag]))
    tag.save()
    assert Tag.objects.get() == tag


@pytest.mark.parametrize("undo", UNDONE)
def test_what_was_updated_in_bulk_and_undone_is_written_by_save(tag: Tag, undo: Callable[..., None]) -> None:
    tag.label = "Low risk"
    undo(lambda: Tag.objects.bulk_update([tag], ["label"]))
    tag.save()
    assert Tag.objects.get().label == "Low risk"


def test_after_a_rollback_only_what_this_copy_wrote_is_written_again(workspace: Workspace) -> None:
    case = Case.objects.create(workspace=workspace, name="Dotfile")
    case = Case.objects.get(pk=case.pk)
    with transaction.atomic():
        case.name = "New"
        case.save()
        transaction.set_rollback(True)
    Case.objects.update(external_id="e-1")  # somebody else's
    case.save()
    found = Case.objects.get()
    assert (found.name, found.external_id) == ("New", "e-1")


@pytest.mark.django_db(transaction=True)
def test_a_row_deleted_after_a_rollback_is_not_brought_back(transactional_db: None) -> None:
    tag = factories.tag(factories.workspace(), "High risk")
    with transaction.atomic():
        tag.label = "Low risk"
        tag.save()
        transaction.set_rollback(True)
    Tag.objects.all().delete()
    with pytest.raises(DatabaseError):
        tag.save()
    assert not Tag.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_committed_row_deleted_later_is_not_brought_back_whatever_else_its_transaction_undid(
    transactional_db: None,
) -> None:
    with transaction.atomic():
        tag = factories.tag(factories.workspace(), "High risk")
        with transaction.atomic():
            transaction.set_rollback(True)
    Tag.objects.all().delete()
    tag.label = "Low risk"
    with pytest.raises(DatabaseError):
        tag.save()


@pytest.mark.django_db(transaction=True)
def test_what_was_undone_by_hand_is_written_after_the_commit(transactional_db: None) -> None:
    tag = factories.tag(factories.workspace(), "High risk")
    tag.label = "Low risk"
    with transaction.atomic():
        undone_by_hand(tag.save)
    tag.save()
    assert Tag.objects.get().label == "Low risk"


def test_many_saves_in_a_transaction_leave_one_hook_each_savepoint(tag: Tag) -> None:
    with transaction.atomic():
        before = len(connection.run_on_commit)
        for number in range(10):
            tag.label = f"label {number}"
            tag.save()
        assert len(connection.run_on_commit) == before + 1


@pytest.mark.django_db(transaction=True)
def test_a_deep_copy_shares_the_fate_of_its_row(transactional_db: None) -> None:
    workspace = factories.workspace()
    with transaction.atomic():
        case = Case.objects.create(workspace=workspace, name="Dotfile")
        twin = copy.deepcopy(case)
        assert twin.is_being_created
    assert not twin.is_being_created


def test_a_row_that_is_being_written_can_be_pickled(tag: Tag) -> None:
    twin = pickle.loads(pickle.dumps(tag))
    twin.label = "Low risk"
    twin.save()
    assert twin.change == Change(twin, {"label": "High risk"})


def test_djangos_way_to_copy_a_row_gives_a_row_of_its_own(workspace: Workspace) -> None:
    template = Template.objects.create(workspace=workspace, key="kyb", name="KYB")
    key = template.pk
    template.pk, template.key = None, "kyb-2"
    template._state.adding = True
    template.save()
    assert template.stored()["id"] == template.pk != key
    template.name = "KYB 2"
    template.save()
    assert list(Template.objects.order_by("key").values_list("name", flat=True)) == ["KYB", "KYB 2"]


@pytest.mark.parametrize(
    ("name", "loaded", "same"),
    [("template_id", None, str), ("ownership_percentage", 50.0, lambda value: "50"), ("first_name", "7", int)],
)
def test_the_same_value_of_another_type_is_no_difference(
    workspace: Workspace, name: str, loaded: Any, same: Callable[[Any], Any]
) -> None:
    case = factories.case(workspace, template=factories.template(workspace))
    row: Any = case
    if name != "template_id":
        row = factories.individual(case, **{name: loaded})
    setattr(row, name, same(getattr(row, name)))
    with CaptureQueriesContext(connection) as captured:
        row.save()
    assert [query["sql"] for query in captured if query["sql"].startswith("UPDATE")] == []


def test_a_number_given_as_text_is_remembered_as_a_number(workspace: Workspace) -> None:
    person = factories.individual(factories.case(workspace), ownership_percentage="50")
    assert person.stored()["ownership_percentage"] == 50.0
    person.ownership_percentage = 50.0
    person.save()
    assert person.change == Change(person, None)


def test_an_unsaved_edit_of_a_deferred_field_survives_the_save_of_another(workspace: Workspace) -> None:
    Case.objects.create(workspace=workspace, name="Dotfile")
    case = Case.objects.only("id").get()
    case.name, case.status = "Edited", "closed"
    case.save(update_fields=["status"])
    assert case.name == "Edited"
    assert case.stored()["name"] == "Dotfile"
    case.save()
    assert case.change == Change(case, {"name": "Dotfile"})


def test_a_relation_set_to_null_by_a_delete_is_announced(workspace: Workspace, told: list[Change]) -> None:
    template = Template.objects.create(workspace=workspace, key="kyb", name="KYB")
    case = Case.objects.create(workspace=workspace, name="Dotfile", template=template)
    key = template.pk
    template.delete()
    assert [(change.row, change.before) for change in told] == [(case, {"template_id": key})]


def test_bulk_create_that_ignores_conflicts_tells_only_of_new_rows(
    workspace: Workspace, tag: Tag, told: list[Change]
) -> None:
    Tag.objects.bulk_create([tag, Tag(workspace=workspace, label="New")], ignore_conflicts=True)
    assert [change.row for change in told] == [Tag.objects.get(label="New")]


def test_bulk_create_that_updates_is_refused(tag: Tag) -> None:
    with pytest.raises(NotSupportedError, match="bulk_update"):
        Tag.objects.bulk_create([tag], update_conflicts=True, update_fields=["label"], unique_fields=["id"])


def test_update_moves_updated_at_of_changed_rows_only(workspace: Workspace) -> None:
    first, second = (Tag.objects.create(workspace=workspace, label=label) for label in ("a", "b"))
    Tag.objects.update(label=F("label"))
    before = {row.pk: row.updated_at for row in Tag.objects.all()}
    assert Tag.objects.filter(pk__in=[first.pk, second.pk], label="a").update(label="c") == 1
    after = {row.pk: row.updated_at for row in Tag.objects.all()}
    assert after[first.pk] > before[first.pk]
    assert after[second.pk] == before[second.pk]


def test_a_related_manager_s_update_is_announced(workspace: Workspace, told: list[Change]) -> None:
    case = Case.objects.create(workspace=workspace, name="Dotfile")
    workspace.cases.update(name="New")
    assert [(change.row, change.before) for change in told] == [(case, {"name": "Dotfile"})]


def test_bulk_operations_announce_once_however_many_rows(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def listen(changes: list[Change], **kwargs: Any) -> None:
        calls.append(len(changes))

    monkeypatch.setattr(bulk, "CHUNK", 2)
    rows_changed.connect(listen)
    try:
        tags = Tag.objects.bulk_create([Tag(workspace=workspace, label=f"label {n}") for n in range(5)])
        Tag.objects.update(label=Concat(F("label"), Value("!")))
        for tag in tags:
            tag.label += "?"
        Tag.objects.bulk_update(tags, ["label"])
    finally:
        rows_changed.disconnect(listen)
    assert calls == [5, 5, 5]


@pytest.mark.parametrize(
    ("select", "error"),
    [
        (lambda rows: rows[:1], "limit"),
        (lambda rows: rows.distinct("label"), "distinct"),
        (lambda rows: rows.values("label"), "values"),
    ],
)
def test_what_django_does_not_delete_is_not_deleted(tag: Tag, select: Callable[..., Any], error: str) -> None:
    with pytest.raises(TypeError, match=error):
        select(Tag.objects.all()).delete()
    assert Tag.objects.get() == tag


def test_a_row_that_is_gone_is_not_deleted_again(tag: Tag) -> None:
    twin = Tag.objects.get()
    tag.delete()
    assert twin.delete() == (0, {})


def test_a_delete_that_fails_leaves_the_memory_as_it_was(workspace: Workspace) -> None:
    case = factories.case(workspace)
    stale = Case.objects.get()
    case.name = "New"
    case.save()

    def fail(**kwargs: Any) -> None:
        raise RuntimeError("no")

    pre_delete.connect(fail, sender=Case)
    try:
        with pytest.raises(RuntimeError), transaction.atomic():
            stale.delete()
    finally:
        pre_delete.disconnect(fail, sender=Case)
    stale.save()
    assert Case.objects.get().name == "New"


def test_a_bulk_delete_is_told_once_with_the_rows_as_they_were(tag: Tag) -> None:
    rows: list[Any] = []

    def listen(sender: Any, **kwargs: Any) -> None:
        rows.extend(kwargs["rows"])

    rows_deleted.connect(listen)
    try:
        Tag.objects.all().delete()
    finally:
        rows_deleted.disconnect(listen)
    assert [row.label for row in rows] == ["High risk"]
