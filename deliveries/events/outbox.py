"""Events are recorded in the transaction of the change that they tell of; workers are woken when it commits."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from deliveries.engine import doorbell
from workspaces.accelerator import Resting
from workspaces.commits import savepoints
from workspaces.timestamps import iso

from .recording import statement

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """An event about to be recorded."""

    name: str
    entity_id: UUID
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What is told when the fields are given, `workspace_id` or `case_id` among them; else the row is read."""


class _Ring:
    """One ring for a transaction, from however many of its savepoints it is asked for."""

    def __init__(self, hooks: list[Any]) -> None:
        self.hooks = hooks
        """Django's list, by which the transaction is known; a rollback replaces it, then another ring is due."""
        self.level: frozenset[str] | None = None
        self._rung = False

    def __call__(self) -> None:
        if not self._rung:
            self._rung = True
            wake()


_rings: WeakKeyDictionary[BaseDatabaseWrapper, _Ring] = WeakKeyDictionary()


def record(model: type[Model], drafts: Sequence[Draft], using: str, *, given: bool = False) -> None:
    """Writes events about rows of this model into the caller's transaction, and arranges to wake workers.

    The rows were written or locked by the same transaction, and are read as they are in the database. With `given` the
    drafts say it all: of rows that are gone, or hold what must not be told. Raises what the database raises: the
    caller's change must then fail too.
    """
    if not drafts:
        return
    columns = [[draft.name for draft in drafts], [str(draft.entity_id) for draft in drafts]]
    if given:
        columns.append([_json(draft.fields) for draft in drafts])
    alone = len(drafts) == 1 and not given
    parameters = [column[0] for column in columns] if alone else columns
    with connections[using].cursor() as cursor:
        cursor.execute(statement(model, given=given, alone=alone), parameters)
    _wake_later(using)


def wake() -> None:
    """Rings for the workers. Never raises: what is not rung for, the sweep finds within a second."""
    try:
        doorbell.ring()
    except Resting:
        pass  # told already: an outage is a line every few seconds, not one for each change
    except Exception as error:
        logger.warning("no worker could be woken (%s); the sweep will", type(error).__name__)


def _wake_later(using: str) -> None:
    connection = connections[using]
    if not connection.in_atomic_block:
        return wake()
    ring, level = _rings.get(connection), savepoints(connection)
    if ring is None or ring.hooks is not connection.run_on_commit:
        ring = _rings[connection] = _Ring(connection.run_on_commit)
    if ring.level != level:
        ring.level = level
        connection.on_commit(ring, robust=True)
    return None


def _json(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, default=_plain, ensure_ascii=False)  # not orjson: whole numbers may be of any length


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
