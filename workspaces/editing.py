"""What the pages of tracked rows have in common: what is edited is locked, and no refusal is an error page."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest

from .rules import lock_in_order
from .typed import ModelAdmin, ModelForm


class EditingAdmin(ModelAdmin):
    """A form that is sent is compared with the row as it is then, which nobody else changes until it is saved."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found: Model | None = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not connection.in_atomic_block:
            return found
        lock_in_order(found)
        return self.model._default_manager.select_for_update(no_key=True).filter(pk=found.pk).first()


class RuledForm(ModelForm):
    """Text that comes back as it was shown is left as it is stored, spaces and ends of lines included.

    What a rule says of a column that the form does not have, it says of the whole.
    """

    as_shown: ClassVar[tuple[str, ...]] = ()
    """Fields that are sent along as the page showed them, for is_left()."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in self.fields.keys() & {*self.as_shown}:
            self.fields[name].show_hidden_initial = True

    def is_left(self, name: str) -> bool:
        """The person left this field as the page showed it, whatever became of the row since."""
        return not self.instance._state.adding and name not in self.changed_data

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name in data:
            shown, sent = self.initial.get(name), self[name].data
            if isinstance(shown, str) and isinstance(sent, str) and _lines(shown) == _lines(sent):
                data[name] = shown
        return data

    def add_error(self, field: str | None, error: Any) -> None:
        if field is None and isinstance(error, ValidationError) and hasattr(error, "error_dict"):
            told: dict[str, list[ValidationError]] = {}
            for name, errors in error.error_dict.items():
                told.setdefault(name if name in self.fields else NON_FIELD_ERRORS, []).extend(errors)
            error = ValidationError(told)
        super().add_error(field, error)


def _lines(text: str) -> list[str]:
    """As browsers, which end each with CR LF, do not tell apart."""
    return text.splitlines()
