"""Encrypted columns: which there are, whether our keys open them, and how they move to the newest key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db import connections, models, transaction

from workspaces.encryption import EncryptedTextField

BATCH = 500
"""Rows that are locked at a time: some 50 ms of work."""

Table = tuple[type[models.Model], list[str]]


def encrypted_tables() -> Iterator[Table]:
    """Each model with encrypted columns, and the names of those."""
    for model in apps.get_models():
        names = [field.name for field in model._meta.concrete_fields if isinstance(field, EncryptedTextField)]
        if names:
            yield model, names


def reencrypt(table: Table) -> Iterator[int]:
    """Writes every value again under the first key, a batch to a transaction; yields how many rows are done.

    Raises InvalidToken when a value was written with a key that is no longer given. May be run again at any time.
    """
    model, names = table
    done, last = 0, None
    while True:
        with transaction.atomic():
            rows = model._base_manager.select_for_update().order_by("pk").values("pk", *names)
            batch: list[dict[str, Any]] = list((rows.filter(pk__gt=last) if last else rows)[:BATCH])
            for row in batch:
                last = row.pop("pk")
                model._base_manager.filter(pk=last).update(**row)
        done += len(batch)
        yield done
        if len(batch) < BATCH:
            return


def keys_fit(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """`manage.py check --database default`: whether ENCRYPTION_KEYS open the oldest and newest rows."""
    return [
        _misfit(model)
        for alias in databases or ()
        for model, names in encrypted_tables()
        if not _opens(alias, model, names)
    ]


def _opens(alias: str, model: type[models.Model], names: list[str]) -> bool:
    if model._meta.db_table not in connections[alias].introspection.table_names():
        return True  # before the first migration there is nothing to open
    rows = model._base_manager.using(alias)
    try:
        for order in ("pk", "-pk"):
            rows.order_by(order).values(*names).first()
    except InvalidToken:
        return False
    return True


def _misfit(model: type[models.Model]) -> Error:
    return Error(
        f"{model._meta.label} holds values that none of ENCRYPTION_KEYS opens.",
        hint="Put the key they were written with back at the end of ENCRYPTION_KEYS.",
        id="deliveries.E001",
    )
