"""Cursors: where in a list in order of time a page ended, so that the next one begins there however deep it is."""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db.models import DateTimeField, Model, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from workspaces.identifiers import EPOCH

M = TypeVar("M", bound=Model)

PARAMETER = "cursor"
UNKNOWN = (
    "This is no cursor of this list in this order. Send `pagination.next_cursor` as it is, with the same `sort`; "
    "without a cursor the list begins at its beginning."
)
_POSITION = struct.Struct("!q16s")
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Position:
    """A row's place in a list: its time, and its key among those of the same microsecond."""

    time: datetime
    key: UUID


@dataclass(frozen=True)
class Cursors:
    """Those of one list in one order.

    They are signed for their list: one of another workspace, address or order is unknown here.
    """

    column: str
    descending: bool
    salt: str

    @classmethod
    def of(cls, rows: QuerySet[Any], whose: str) -> Cursors | None:
        """For rows ordered by a time and their id; None for any other order. `whose` names the list."""
        first, *others = [str(name) for name in rows.query.order_by]
        column, sign = first.lstrip("-"), first[: -len(first.lstrip("-"))]
        if others != [f"{sign}id"] or not _is_time(rows.model, column):
            return None
        return cls(column, bool(sign), f"cursor {whose} {first}")

    def write(self, position: Position) -> str:
        packed = _POSITION.pack((position.time - EPOCH) // _MICROSECOND, position.key.bytes)
        return Signer(salt=self.salt).sign(base64.urlsafe_b64encode(packed).decode())

    def read(self, text: str) -> Position:
        """Raises ValidationError for what `write` did not give for this list."""
        try:
            packed = base64.urlsafe_b64decode(Signer(salt=self.salt).unsign(text))
        except BadSignature:
            raise ValidationError({PARAMETER: UNKNOWN}) from None
        microseconds, key = _POSITION.unpack(packed)
        return Position(EPOCH + microseconds * _MICROSECOND, UUID(bytes=key))

    def after(self, rows: QuerySet[M], position: Position) -> QuerySet[M]:
        """One comparison of both columns, which an index on them answers."""
        beyond = TupleLessThan if self.descending else TupleGreaterThan
        return rows.filter(beyond(Tuple(self.column, "id"), (position.time, position.key)))


def given(query: QueryDict) -> str | None:
    """The cursor of a query string. Raises ValidationError for two, and for one beside `page`."""
    values = query.getlist(PARAMETER)
    if len(values) > 1:
        raise ValidationError({PARAMETER: "`cursor` is given twice; give it once."})
    if values and "page" in query:
        raise ValidationError({PARAMETER: "Give `page` or `cursor`, not both."})
    return str(values[0]) if values else None


def _is_time(model: type[Model], column: str) -> bool:
    field = model._meta.get_field(column)
    return isinstance(field, DateTimeField) and not field.null
