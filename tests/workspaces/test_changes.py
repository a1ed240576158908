"""The ground of the domain: what save() and bulk operations write, remember and tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, NotSupportedError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from cases.models import Case, Tag, Template
from tests import factories
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
