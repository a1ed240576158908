"""Statements of the hot path: planned once per connection, with whole columns of values as single parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any
from weakref import WeakSet

import orjson
from django.db.backends.utils import CursorWrapper
from psycopg2.extensions import connection as Session

# A courier's own statements each reach a few rows through an index, in the index's order. The planner must not think
# otherwise of a table that was small when it last looked: such a plan is kept, and what reads or sorts all that waits
# is quick only until that has grown. The domain's queries are another matter: they are planned as usual.
# Nor must it compile them: before PostgreSQL 18 it takes what is forbidden and still done for very dear.
_CHOICES = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin", "enable_sort", "jit")
BY_INDEX = "; ".join(f"SET {name} = off" for name in _CHOICES)
BY_INDEX_HERE = "; ".join(f"SET LOCAL {name} = off" for name in _CHOICES)
AS_USUAL_HERE = "; ".join(f"SET LOCAL {name} = DEFAULT" for name in _CHOICES)
AS_USUAL = "; ".join(f"RESET {name}" for name in _CHOICES)


class Prepared:
    """A statement that PostgreSQL parses and plans once per session, not each time.

    For couriers, who have a session to themselves: a pooler in transaction mode hands the next statement to another.
    """

    def __init__(self, name: str, sql: str) -> None:
        """`sql` as for a cursor, with `%s` for each parameter; PostgreSQL must be able to tell their types."""
        self.sql = sql
        numbers = count(1)
        text = re.sub("%s", lambda _: f"${next(numbers)}", sql).replace("%%", "%")
        self._prepare = f"PREPARE {name} AS {text}"
        self._execute = f"EXECUTE {name}" + (f"({', '.join(['%s'] * sql.count('%s'))})" if "%s" in sql else "")
        self._sessions: WeakSet[Session] = WeakSet()
        """Those that know it."""

    def execute(self, cursor: CursorWrapper, parameters: Sequence[Any] = ()) -> None:
        """Raises what the database raises."""
        cursor.execute(self.call(cursor), parameters)

    def call(self, cursor: CursorWrapper) -> str:
        """What executes it, once its session knows it."""
        session = cursor.connection
        if session not in self._sessions:
            cursor.execute(self._prepare)
            self._sessions.add(session)
        return self._execute


def together(cursor: CursorWrapper, *steps: tuple[Prepared | str, Sequence[Any]]) -> None:
    """Statements with their parameters in one round trip and one transaction; the cursor has the last one's rows.

    Each sees what was committed before it began, as if it had been sent alone.
    """
    calls = [step.call(cursor) if isinstance(step, Prepared) else step for step, _ in steps]
    cursor.execute("; ".join(calls), [value for _, parameters in steps for value in parameters])


def array(values: Iterable[object]) -> str:
    """Keys, numbers or booleans as the text of a PostgreSQL array, NULL for None.

    As a list, psycopg2 would quote each value by itself and PostgreSQL parse each as an expression of its own: that
    was a tenth of all the CPU that a delivery cost.
    """
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def texts(values: Iterable[str | None]) -> str:
    """Strings as the text of a PostgreSQL array, NULL for None."""
    return "{" + ",".join(["NULL" if value is None else _quoted(value) for value in values]) + "}"


def documents(values: Iterable[object]) -> str:
    """What JSON can say, as the text of one JSON array: each value quoted for an array costs four times as much."""
    return orjson.dumps(list(values)).decode()


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
