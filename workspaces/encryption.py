"""Secrets at rest: model fields whose column holds only ciphertext (Fernet, rotatable keys)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ValidationError
from django.db import models

MARK = "encrypted:"
"""Stands before what a fixture (dumpdata) holds of an encrypted column."""


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """Encrypts with the first of ENCRYPTION_KEYS, decrypts with any of them."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS))


if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField


class EncryptedTextField(_TextField):
    """Text that is encrypted in the database. It cannot be searched; a lost key raises InvalidToken."""

    _pyi_private_set_type: Any  # for mypy: subclasses hold other values than text

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else cipher().encrypt(self.written(value).encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else self.read(cipher().decrypt(value.encode()).decode())

    def value_to_string(self, obj: models.Model) -> str:
        """For a fixture: marked ciphertext, which only a database with one of our keys can load."""
        return f"{MARK}{self.get_prep_value(self.value_from_object(obj))}"

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, str) or not value.startswith(MARK):
            return self.parsed(value)
        try:
            return self.from_db_value(value.removeprefix(MARK), None, None)
        except InvalidToken:
            raise ValidationError("This is a value that none of ENCRYPTION_KEYS opens.", code="lost_key") from None

    def parsed(self, value: Any) -> Any:
        """What a form gives, as a value."""
        return super().to_python(value)

    def written(self, value: Any) -> str:
        """The text that is encrypted."""
        return str(value)

    def read(self, text: str) -> Any:
        """The value of a decrypted text."""
        return text

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise FieldError(f"{self.name} is encrypted and cannot be searched.")
        return super().get_lookup(lookup_name)


class EncryptedJSONField(EncryptedTextField):
    """A JSON object that is encrypted in the database."""

    def written(self, value: Any) -> str:
        return orjson.dumps(value).decode()

    def read(self, text: str) -> Any:
        return orjson.loads(text)

    def parsed(self, value: Any) -> Any:
        return orjson.loads(value) if isinstance(value, str) else value
