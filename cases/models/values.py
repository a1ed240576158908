"""What columns may hold, whoever writes them. Forms and the API ask their fields; this is for code and bulk changes."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models

from workspaces.changes import Change

ADDRESS = ("street_address", "street_address_2", "postal_code", "city", "state", "region", "country")
BANK = {"iban": range(15, 35), "bic": range(8, 13)}
"""How long each may be: Dotfile's limits."""
CLASSIFICATION = ("type", "code", "description")


def refuse(changes: Iterable[Change]) -> None:
    """Raises ValidationError with a sentence, which never holds the value, for what receivers could not be told."""
    for change in changes:
        now = change.row.stored()
        for field in _limited(type(change.row)):
            if change.before is None or field.attname in change.before:
                _refuse_value(field, now[field.attname])


@cache
def _limited(model: type[models.Model]) -> Sequence[Any]:
    """The columns that may hold less than their type can."""
    fields = (field for field in model._meta.concrete_fields if not field.is_relation)
    return [field for field in fields if _is_limited(field)]


def _is_limited(field: Any) -> bool:
    one = _one(field)
    return bool(field.validators or one.validators or one.choices or field.name in OF_JSON)


def _one(field: Any) -> Any:
    """Of a list, what it is a list of."""
    return getattr(field, "base_field", field)


def _refuse_value(field: Any, value: Any) -> None:
    if value is None and not field.null:
        raise ValidationError({field.name: "This cannot be null."})
    if value is None or (value == "" and field.blank and not isinstance(field, models.JSONField)):
        return
    try:
        _refuse_words(field, value)
        field.run_validators(value)
        if refuse := OF_JSON.get(field.name):
            refuse(value)
    except ValidationError as error:
        raise ValidationError({field.name: error.messages}) from None  # whose parameters hold the value


def _refuse_words(field: Any, value: Any) -> None:
    words = [word for word, _ in _one(field).flatchoices]
    given = value if isinstance(field, ArrayField) else [value]
    if words and not all(word in words for word in given):
        raise ValidationError(f"Use {', '.join(words)}.")


def refuse_address(value: Any) -> None:
    if not _has_texts(value, ADDRESS):
        raise ValidationError(f"An address is an object of texts: {', '.join(ADDRESS)}.")
    if (country := value.get("country")) and not (len(country) == 2 and country.isascii() and country.isupper()):
        raise ValidationError("The country is the two letters of ISO 3166-1, such as FR.")


def refuse_bank(value: Any) -> None:
    if not _has_texts(value, BANK) or any(text and len(text) not in BANK[key] for key, text in value.items()):
        raise ValidationError("Give an iban of 15 to 34 characters and a bic of 8 to 12, or null.")


def refuse_classifications(value: Any) -> None:
    if not isinstance(value, list) or not all(_is_classification(each) for each in value):
        raise ValidationError("Classifications are a list of objects with type and code, and perhaps a description.")


def _is_classification(value: Any) -> bool:
    return _has_texts(value, CLASSIFICATION) and bool(value.get("type") and value.get("code"))


def _has_texts(value: Any, keys: Container[str]) -> bool:
    """An object of nothing but these keys; each is text or null."""
    return isinstance(value, Mapping) and all(
        key in keys and (text is None or isinstance(text, str)) for key, text in value.items()
    )


OF_JSON: Mapping[str, Callable[[Any], None]] = {
    "address": refuse_address,
    "banking_information": refuse_bank,
    "classifications": refuse_classifications,
}
