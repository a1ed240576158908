"""Bulk parameters as texts of arrays, and statements that are planned once per session."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deliveries.engine.statements import Prepared, array, texts

ONE = UUID("0190a000-0000-7000-8000-000000000001")
NUMBERED = Prepared(
    "test_numbered", "SELECT n * %s FROM unnest(%s::int[]) WITH ORDINALITY AS a(n, place) ORDER BY place"
)


def read(literal: str, kind: str) -> list[object]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT %s::{kind}[]", [literal])
        found: list[object] = cursor.fetchone()[0]
    return found


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "uuid"),
        ([ONE, None, ONE], "uuid"),
        ([0, -7, None, 2**31 - 1], "int"),
        ([True, False, None], "bool"),
        ([0.0, -1.5, 1e-9, 1e22], "float8"),
    ],
)
def test_keys_numbers_and_booleans_arrive_as_they_were(db: None, values: list[object], kind: str) -> None:
    assert read(array(values), kind) == values


def test_texts_arrive_as_they_were_whatever_is_in_them(db: None) -> None:
    values = [
        None,
        "",
        "NULL",
        "null",
        " a b ",
        "a,b",
        "{a}",
        '"quoted"',
        "back\\slash",
        'both \\" of them',
        "line\nbreak\ttab",
        "it's",
        "%s %(name)s %%",
        "é € 😀 \u2028",
        "$1 $$",
    ]
    assert read(texts(values), "text") == values


def test_a_statement_is_planned_once_per_session(db: None) -> None:
    found = []
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as captured:
        for factor in (2, 3):
            NUMBERED.execute(cursor, [factor, array([1, 2, 3])])
            found.append([row[0] for row in cursor.fetchall()])
        connection_of_its_own = connection.copy()
        try:
            with connection_of_its_own.cursor() as other:
                NUMBERED.execute(other, [5, array([1])])
                found.append([row[0] for row in other.fetchall()])
        finally:
            connection_of_its_own.close()
    assert found == [[2, 4, 6], [3, 6, 9], [5]]
    assert [query["sql"].split()[0] for query in captured].count("PREPARE") <= 1  # none if an earlier test was here
