"""What columns of people, companies and notes may hold, on every way to a write that no form stands before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from cases.models import Company, Individual
from cases.services import add_note
from deliveries.models import Event
from tests import factories

pytestmark = pytest.mark.django_db

Write = Callable[[Any, str, Any], Any]


def saved(row: Any, name: str, value: Any) -> None:
    setattr(row, name, value)
    row.save()


def updated(row: Any, name: str, value: Any) -> None:
    type(row).objects.filter(pk=row.pk).update(**{name: value})


def created(row: Any, name: str, value: Any) -> None:
    row.pk, row._state.adding = None, True
    setattr(row, name, value)
    type(row).objects.bulk_create([row])


WAYS = pytest.mark.parametrize("write", [saved, updated, created])
MAKERS: dict[type, Callable[[], Any]] = {
    Individual: factories.individual,
    Company: lambda: factories.company(factories.company().case, type="affiliated"),
}
REFUSED = [
    (Individual, "email", "john.carter"),
    (Individual, "phone_number", "0612345678"),
    (Individual, "birth_country", "fr"),
    (Individual, "gender", "unknown"),
    (Individual, "roles", ["owner"]),
    (Individual, "nationalities", ["fr"]),
    (Individual, "ownership_percentage", 101.0),
    (Individual, "address", "11 Rue Poissonnerie"),
    (Individual, "address", {"town": "Bayonne"}),
    (Individual, "address", {"country": "France"}),
    (Individual, "banking_information", ["FR76"]),
    (Company, "status", ""),
    (Company, "country", "f1"),
    (Company, "banking_information", {"iban": "FR76"}),
    (Company, "banking_information", {"account": "1"}),
    (Company, "classifications", {}),
    (Company, "classifications", [{"type": "nace"}]),
    (Company, "classifications", [{"type": "nace", "code": 123}]),
]


@WAYS
@pytest.mark.parametrize(("model", "name", "value"), REFUSED)
def test_a_value_that_receivers_could_not_be_told_is_refused(write: Write, model: type, name: str, value: Any) -> None:
    row = MAKERS[model]()
    events = Event.objects.count()
    with pytest.raises(ValidationError) as refusal:
        write(row, name, value)
    assert [*refusal.value.message_dict] == [name]
    assert Event.objects.count() == events


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (Individual, "gender", ""),
        (Individual, "nationalities", None),
        (Individual, "nationalities", []),
        (Individual, "address", {"city": "Bayonne", "state": None, "country": ""}),
        (Individual, "banking_information", {"iban": "FR7630006000011234567890189"}),
        (Company, "classifications", [{"type": "nace", "code": "123", "description": None}]),
        (Company, "banking_information", {}),
    ],
)
def test_what_can_be_told_is_kept(model: type, name: str, value: Any) -> None:
    row = MAKERS[model]()
    saved(row, name, value)
    row.refresh_from_db()
    assert getattr(row, name) == value


def test_a_note_is_by_a_person_or_the_api() -> None:
    note = add_note(factories.case(), "Call them.")
    with pytest.raises(ValidationError, match="Use user, api"):
        saved(note, "author_type", "")


def test_a_refusal_does_not_tell_the_value() -> None:
    with pytest.raises(ValidationError) as refusal:
        saved(factories.individual(), "email", "john.carter")
    assert "carter" not in str(refusal.value)
    assert refusal.value.__cause__ is None
