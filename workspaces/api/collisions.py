"""Requests that come at the same moment: which errors only say so, and a second look after one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError
from django.http.response import HttpResponseBase

Handler = Callable[..., HttpResponseBase]

# Each try after a collision finds the other request done; a row that is fought over this hard should be left alone.
TRIES = 3
# PostgreSQL's SQLSTATEs: deadlock_detected, serialization_failure, and foreign_key_violation, which is a parent that
# was deleted, or a child that was created, after this request had looked.
COLLISIONS = frozenset({"40P01", "40001", "23503"})
# not_null_violation: what is copied from a parent (a workspace's id) is null when the parent was deleted meanwhile.
NULL = "23502"


def happened(error: DatabaseError) -> bool:
    """Whether the database refused only because of what another request did meanwhile."""
    if error.__cause__ is None:
        return type(error) is DatabaseError  # Django's own: save() found its row gone
    return _state(error) in COLLISIONS


def looked_at_again(handler: Handler) -> Handler:
    """The handler of a write, called again after a collision: what is gone by then is the 404 or 400 of always.

    The handler must keep nothing between calls, and write in one transaction.
    """

    def handle(*args: Any, **kwargs: Any) -> HttpResponseBase:
        for _ in range(TRIES - 1):
            try:
                return handler(*args, **kwargs)
            except ObjectDoesNotExist:
                continue
            except DatabaseError as error:
                if not happened(error) and _state(error) != NULL:
                    raise
        return handler(*args, **kwargs)

    return handle


def _state(error: DatabaseError) -> str | None:
    return getattr(error.__cause__, "pgcode", None)
