"""Queries by keys that Django compiles once: compiling takes longer than PostgreSQL needs to answer."""

from __future__ import annotations

import threading
from collections.abc import Collection
from functools import reduce
from operator import or_
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler

NOBODY = UUID(int=0)
"""Stands for the keys while a query is compiled."""


class ByKeys:
    """The rows of a query, as its `values()` gives them, in which a column is among some keys."""

    def __init__(self, query: QuerySet[Any, Any], *columns: str) -> None:
        """With several columns, one of them has to be."""
        self._query = query
        self._columns = columns
        self._known = threading.local()
        """A compiler belongs to a connection, and that to a thread."""

    def rows(self, keys: Collection[UUID | str]) -> list[dict[str, Any]]:
        """Nothing is asked for no keys. Keys may be text, as events have recorded them."""
        if not keys:
            return []
        if not hasattr(self._known, "compiled"):
            self._known.compiled = self._compile()
        compiler, names, sql, parameters = self._known.compiled
        wanted = [key if isinstance(key, UUID) else UUID(key) for key in keys]
        with connection.cursor() as cursor:
            cursor.execute(sql, [wanted if value is NOBODY else value for value in parameters])
            found = cursor.fetchall()
        return [dict(zip(names, row, strict=True)) for row in compiler.results_iter(results=[found])]

    def _compile(self) -> tuple[SQLCompiler, list[str], str, list[Any]]:
        among = [Q((f"{column}__in", [NOBODY])) for column in self._columns]
        query = self._query.filter(reduce(or_, among)).query
        compiler = query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        values = [NOBODY if value == NOBODY else value for value in parameters]
        keyed = sql.replace("IN (%s)", "= ANY(%s)")
        if keyed.count("= ANY(%s)") != len(among) or values.count(NOBODY) != len(among):
            raise TypeError("A query by keys has no other list of one value, and its columns hold keys.")
        return compiler, list(query.selected or query.values_select), keyed, values
