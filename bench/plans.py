"""Explains statements as they pass by, with the values they are about to run with. Import it once Django is set up."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from django.db import connection, transaction

EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS) "
OURS = re.compile(r"EXECUTE \w|\b(deliveries|cases|checks|workspaces)_\w")
"""What is explained: prepared statements, and those that name our tables."""
STATEMENT = re.compile(r"(?:WITH|SELECT|INSERT|UPDATE|DELETE|EXECUTE)\b.*", re.DOTALL)
"""What can be."""
PART = re.compile(r"(?:[^;']|'[^']*')+")
"""Of what is sent at once."""
PREPARE = re.compile(r"\s*PREPARE (\w+)\s+AS\s(.*)", re.DOTALL)
EXECUTE = re.compile(r"\s*EXECUTE (\w+)")
PLACE = re.compile(r"\$\d+|%s|%\(\w+\)s")
UNNAMED = re.compile(r"%[s%]")
TIMES = re.compile(r"^(?:Planning|Execution) Time: ([\d.]+) ms", re.MULTILINE)
SCAN = re.compile(
    r"Seq Scan on (deliveries_(?:event|payload|delivery|attempt)\w*).*actual .*?rows=([\d.]+) loops=(\d+)"
)
"""Of tables that grow; the others stay small."""
REMOVED = re.compile(r"Rows Removed by Filter: (\d+)")
MANY = 1000
"""Rows: it is no matter how a table of fewer is read."""
LONG_VALUE = re.compile(r"'\{[^']{120,}\}'")
ALIKE = 40
"""Characters that a statement shares with the constant it was made from."""


@dataclass
class Statement:
    """One statement of the engine's."""

    name: str
    """The constant that holds it, as `fanout.TAKE`."""
    sql: str
    calls: int = 0
    plan: str = ""
    """Of the first, second, fourth, eighth ... call, whichever was the last."""

    @property
    def took(self) -> float:
        """Milliseconds, planning included."""
        return sum(map(float, TIMES.findall(self.plan)))

    @property
    def read_whole(self) -> list[str]:
        """Tables that grow, and of which it read many rows from end to end."""
        found, rows = "", 0.0
        whole: set[str] = set()
        for line in self.plan.splitlines():
            if "->" in line or not found:
                scan = SCAN.search(line)
                found, rows = (scan[1], float(scan[2]) * int(scan[3])) if scan else ("", 0.0)
            elif removed := REMOVED.search(line):
                rows += int(removed[1])
            if found and rows > MANY:
                whole.add(found)
        return sorted(whole)


class Part(NamedTuple):
    """One of the statements that were sent together."""

    sql: str
    values: Any
    """Its own."""
    statement: Statement | None
    """None: it is not explained."""


class Watch:
    """Sees every statement of this process's connection."""

    def __init__(self) -> None:
        self.statements: dict[str, Statement] = {}
        self._prepared: dict[str, str] = {}
        self._constants = constants()
        self._explaining = False

    @contextlib.contextmanager
    def on(self) -> Iterator[None]:
        with connection.execute_wrapper(self._see):
            yield

    def _see(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if prepare := PREPARE.fullmatch(sql):
            self._prepared[prepare[1]] = prepare[2].strip()
        if not self._explaining and not many:
            sent = [Part(*part, self._statement(part[0])) for part in parts(sql, params)]
            seen = [part.statement for part in sent if part.statement]
            for statement in seen:
                statement.calls += 1
            if any(statement.calls & (statement.calls - 1) == 0 for statement in seen):
                self._explain(sent)
        return execute(sql, params, many, context)

    def _statement(self, sql: str) -> Statement | None:
        if not STATEMENT.fullmatch(sql) or not OURS.search(sql):
            return None
        name = EXECUTE.match(sql)
        text = self._prepared.get(name[1], sql) if name else sql
        key = _plain(text)
        if key not in self.statements:
            self.statements[key] = Statement(named(key, self._constants), text.strip())
        return self.statements[key]

    def _explain(self, sent: list[Part]) -> None:
        """One after another, as they will run, within the caller's transaction if there is one; then rolled back."""
        self._explaining = True
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                for sql, values, statement in sent:
                    cursor.execute(EXPLAIN + sql if statement else sql, values)
                    if statement:
                        plan = "\n".join(row[0] for row in cursor.fetchall())
                        statement.plan = LONG_VALUE.sub("'{...}'", plan)
                transaction.set_rollback(True)
        finally:
            self._explaining = False


def parts(sql: str, values: Any = None) -> Iterator[tuple[str, Any]]:
    """The statements that are sent as one string, each with its own of the values; named ones are everybody's."""
    found = [part.strip() for part in PART.findall(sql) if part.strip()]
    if not values or isinstance(values, Mapping):
        yield from ((part, values) for part in found)
        return
    rest = iter(values)
    for part in found:
        count = UNNAMED.findall(part).count("%s")
        yield (part, list(islice(rest, count))) if count else (part.replace("%%", "%"), None)


def constants() -> dict[str, str]:
    """The statements of all loaded modules of deliveries, by name, as _plain() has them."""
    found: dict[str, str] = {}
    for module in [name for name in sys.modules if name.startswith("deliveries.")]:
        for name, value in vars(sys.modules[module]).items():
            sql = getattr(value, "sql", value)
            for part, _ in parts(sql) if name.isupper() and isinstance(sql, str) else ():
                if STATEMENT.fullmatch(part):
                    found[f"{module.rpartition('.')[2]}.{name}"] = _plain(part)
    return found


def named(sql: str, constants: Mapping[str, str]) -> str:
    """The name of the constant it was made from; of another, what it does to which table."""
    text = _plain(sql)
    alike = {name: len(os.path.commonprefix([text, constant])) for name, constant in constants.items()}
    best = max(alike, key=lambda name: alike[name], default="")
    if best and alike[best] >= min(ALIKE, len(text)):
        return best
    if written := re.findall(r"^INSERT INTO (\w+)", text, re.MULTILINE):
        return f"INSERT {written[-1]}"
    table = re.search(r'"(\w+_\w+)"', text)
    return f"{text.split()[0]} {table[1]}" if table else text[:ALIKE]


def _plain(sql: str) -> str:
    """With ? in place of each value."""
    return PLACE.sub("?", sql).replace("%%", "%").strip()
