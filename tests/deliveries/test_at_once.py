"""Changes at the same time: nobody waits in a circle, and each event tells what was so when it got its number."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from functools import partial

import pytest
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import IntegrityError, connection, transaction

from cases.models import Case, Individual, Note, Tag
from cases.services import add_comment, add_company, add_note, edit, review_case, tell_due_reviews
from checks.aml import NewHit
from checks.models import ListType
from checks.services import record_aml_result, start_check
from deliveries.models import Event
from tests import factories
from workspaces import bulk

pytestmark = pytest.mark.django_db(transaction=True)


def together(tasks: Sequence[Callable[[], object]], timeout: float = 300) -> list[Exception]:
    """Runs each in a thread with a connection of its own; what went wrong."""
    failures: list[Exception] = []
    ready = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> None:
        try:
            ready.wait(60)
            task()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[task], daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    assert not any(thread.is_alive() for thread in threads)
    return failures


def test_bulk_changes_from_both_ends_do_not_deadlock(transactional_db: None) -> None:
    workspace = factories.workspace()
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(600)])

    def change(order: str) -> None:
        for number in range(4):
            Case.objects.order_by(order).update(name=f"{order} {number}")

    assert together([partial(change, order) for order in ("pk", "-pk")]) == []
    sequences = Event.objects.values_list("case_id", "sequence")
    assert len(set(sequences)) == len(sequences) == 600 * 9


def test_bulk_decisions_from_both_ends_do_not_deadlock(transactional_db: None) -> None:
    workspace = factories.workspace()
    Case.objects.bulk_create([Case(workspace=workspace, name=f"case {n}") for n in range(300)])

    def decide(order: str) -> None:
        for status in ("rejected", "approved", "open", "approved"):
            with suppress(ValidationError):  # the other one has decided otherwise
                Case.objects.order_by(order).update(status=status)
            tell_due_reviews(date(2031, 1, 1))
            with suppress(ValidationError):
                Case.objects.order_by(order).update(next_review_at=date(2031, 1, 1))

    assert together([partial(decide, order) for order in ("pk", "-pk")]) == []
    sequences = Event.objects.values_list("case_id", "sequence")
    assert len(set(sequences)) == len(sequences)


def test_bulk_changes_of_other_rows_in_the_same_cases_do_not_deadlock(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One chunk of one bulk is about the last case, one of the other about the first."""
    monkeypatch.setattr(bulk, "CHUNK", 20)
    workspace = factories.workspace()
    cases = sorted([factories.case(workspace) for _ in range(2)], key=lambda case: case.pk)
    for name, order in (("A", [1, 0]), ("B", [0, 1])):
        Individual.objects.bulk_create(
            [Individual(case=cases[n], first_name=name, last_name=str(row)) for n in order for row in range(20)]
        )

    def change(name: str) -> None:
        for number in range(10):
            Individual.objects.filter(first_name=name).update(last_name=f"round {number}")

    assert together([partial(change, "A"), partial(change, "B")]) == []


def wait_for_a_lock() -> None:
    """Until somebody waits for a lock in this database."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    for _ in range(6000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(0.01), pg_stat_clear_snapshot()")
            cursor.execute(sql)
            if cursor.fetchone() != (0,):
                return
    raise AssertionError("nobody waits for a lock")


@pytest.mark.parametrize(
    ("edit", "left"),
    [({"status": "approved"}, ["approved", "late"]), ({"name": "still open"}, ["late"])],
    ids=["a row that no longer matches", "a row that matches late"],
)
def test_a_bulk_delete_tells_of_the_rows_that_it_deletes(
    transactional_db: None, edit: dict[str, str], left: list[str]
) -> None:
    workspace = factories.workspace()
    case = Case.objects.create(workspace=workspace, name="early")

    with transaction.atomic():
        for name, value in edit.items():
            setattr(case, name, value)
        case.save()
        Case.objects.create(workspace=workspace, name="late")
        failures: list[list[Exception]] = []
        deleting = Case.objects.filter(status="open").delete
        thread = threading.Thread(target=lambda: failures.append(together([deleting])))
        thread.start()
        wait_for_a_lock()
    thread.join(300)
    assert failures == [[]]
    found = list(Case.objects.order_by("id"))
    assert [row.status if row.pk == case.pk else row.name for row in found] == left
    gone = [] if case in found else [case.pk]
    assert list(Event.objects.filter(name="Case.Deleted").values_list("case_id", flat=True)) == gone


def test_a_change_of_tags_waits_for_a_status_and_tells_it(transactional_db: None) -> None:
    workspace = factories.workspace()
    case, tag = Case.objects.create(workspace=workspace, name="Dotfile"), factories.tag(workspace, "High risk")
    stale = Case.objects.get()
    with transaction.atomic():
        case.status = "approved"
        case.save()
        failures: list[list[Exception]] = []
        thread = threading.Thread(target=lambda: failures.append(together([lambda: stale.tags.add(tag)])))
        thread.start()
        wait_for_a_lock()
    thread.join(300)
    assert failures == [[]]
    fields = Event.objects.get(name="Case.TagsUpdated").fields
    assert fields is not None
    assert fields["status"] == "approved"


def review(case: Case, number: int) -> None:
    with suppress(ValidationError):  # another was faster
        review_case(case, ("approved", "rejected")[number % 2], reviewer_type="api")


def post_an_individual(case: Case, number: int) -> None:
    factories.individual(case)


def screen(case: Case, number: int) -> None:
    record_aml_result(start_check(factories.individual(case), "aml"), [NewHit("John Carter", [ListType.PEP])])


def patch(case: Case, number: int) -> None:
    with transaction.atomic():
        row = Case.objects.select_for_update().get(pk=case.pk)  # the strongest that anybody may take
        row.name = f"{threading.get_ident()} {number}"
        row.save()
        row.tags.set(Tag.objects.filter(label__in=["a", "b"][number % 2 :]))


def delete_a_person(case: Case, number: int) -> None:
    person = factories.individual(case)
    start_check(person, "aml")
    (person if number % 2 else Individual.objects.filter(pk=person.pk)).delete()


def screen_anybody(case: Case, number: int) -> None:
    if person := case.individuals.order_by("-id")[:2][number % 2 :].first():
        start_check(person, "aml")


def delete_anybody(case: Case, number: int) -> None:
    if person := case.individuals.order_by("-id").first():
        person.delete()


def discuss(case: Case, number: int) -> None:
    note = add_note(case, "a")
    edit(add_comment(note, "b"), "c")
    (note if number % 2 else Note.objects.filter(pk=note.pk)).delete()


def comment_on_anything(case: Case, number: int) -> None:
    if note := case.notes.order_by("-id").first():
        add_comment(note, "a").delete()


def affiliate(case: Case, number: int) -> None:
    with suppress(ValidationError):  # another has made, or deleted, the main one
        add_company(case, {"name": "Main"})
    with suppress(ValidationError):
        add_company(case, {"name": "Other", "type": "affiliated"})
    with suppress(ValidationError):  # another has added one meanwhile, which the main one has to wait for
        case.companies.all().delete()


def retag(case: Case, number: int) -> None:
    tag = factories.tag(case.workspace, f"{threading.get_ident()} {number}")
    tag.cases.add(case)
    tag.label += "!"
    tag.save()
    (tag if number % 2 else Tag.objects.filter(pk=tag.pk)).delete()


def test_changes_of_all_kinds_in_one_case_do_not_deadlock(transactional_db: None) -> None:
    case = factories.case()
    for label in ("a", "b"):
        factories.tag(case.workspace, label)

    def run(change: Callable[[Case, int], None]) -> None:
        for number in range(8):
            with suppress(IntegrityError, ObjectDoesNotExist):  # a person was deleted while a check was started
                change(case, number)

    changes = [review, post_an_individual, screen, patch, delete_a_person, screen_anybody, delete_anybody, retag]
    changes += [discuss, comment_on_anything, affiliate]
    assert together([partial(run, change) for change in changes * 2]) == []
    sequences = list(Event.objects.order_by("sequence").values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
