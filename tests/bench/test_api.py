"""The benchmark of the API: what it fills, and how it tells what it found."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from bench import api, api_rows, posts, reads, web
from bench.results import Report

pytestmark = pytest.mark.django_db

CASES, LOGS = 20, 200


def count(of: api_rows.Filled, query: str) -> int:
    client = APIClient()
    client.credentials(HTTP_X_DOTFILE_API_KEY=of.key)
    response = client.get(f"/v1/{query}")
    assert response.status_code == 200, response.json()
    return int(response.json()["pagination"]["count"])


def test_a_workspace_is_filled_with_cases_and_what_belongs_to_them() -> None:
    api_rows.cases("other", 3)
    of = api_rows.cases("large", CASES)
    crowd = api_rows.CROWD
    assert count(of, "cases") == CASES + 1
    assert count(of, "individuals") == CASES * api_rows.PEOPLE + crowd
    assert count(of, "companies") == CASES
    assert count(of, "checks") == CASES * (api_rows.PEOPLE + 1) + crowd * api_rows.CROWD_CHECKS
    assert count(of, "cases?status=approved") == CASES // 10
    assert count(of, "cases?tags=fast track") == CASES
    assert count(of, "cases?external_id=case-7") == 1


def test_a_case_is_filled_as_if_the_api_had_made_it() -> None:
    of = api_rows.cases("large", CASES)
    client = APIClient()
    client.credentials(HTTP_X_DOTFILE_API_KEY=of.key)
    case = client.get(f"/v1/cases/{of.names['case']}").json()
    assert [len(each["checks"]) for each in (*case["individuals"], *case["companies"])] == [1, 1, 1]
    approved = client.get("/v1/cases?status=approved").json()["data"]
    assert {each["review"]["status"] for each in approved} == {"approved"}
    crowd = client.get(f"/v1/cases/{of.names['crowd']}").json()
    assert sum(len(each["checks"]) for each in crowd["individuals"]) == api_rows.CROWD * api_rows.CROWD_CHECKS


def test_a_workspace_is_filled_with_logs() -> None:
    of = api_rows.logs(LOGS)
    assert count(of, "webhook-logs") == LOGS
    assert count(of, f"webhook-logs?webhook_id={of.names['webhook']}") == LOGS // api_rows.WEBHOOKS
    assert count(of, "webhook-logs?event=Individual.Created") == LOGS // len(api_rows.EVENTS)
    assert count(of, "webhook-logs?state=failed") == LOGS // 50
    assert count(of, "webhook-logs?status_code=503") == count(of, "webhook-logs?status_code=0") == LOGS // 100


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ('SELECT "a"."b", "a"."c" FROM "a" WHERE "a"."b" = $1', "SELECT … FROM a WHERE a.b = $1"),
        ('INSERT INTO "a" ("id", "b") VALUES ($1, $2)', "INSERT INTO a ( … )"),
        ("COMMIT", "COMMIT"),
        (f"WITH x AS ({'y ' * 99}) INSERT INTO a_b (c) SELECT 1", f"WITH x AS ({'y ' * 44}y … INSERT INTO a_b"),
    ],
)
def test_a_statement_is_shown_in_a_line(sql: str, shown: str) -> None:
    assert posts.short(sql) == shown


def test_a_command_is_named_without_its_values() -> None:
    assert posts.named("EVAL return 1 1 dotfile-hooks:throttle:reads:019f 5") == "EVAL throttle:reads"
    assert posts.named("GET secret") == "GET"


def seen(*statements: str, commands: int = 0) -> posts.Seen:
    return posts.Seen(Counter(statements), Counter({"EVAL": commands}), Counter())


@pytest.mark.parametrize(
    ("statements", "commands", "holds"),
    [
        ((), 0, True),
        (("INSERT INTO event",), 1, True),
        (("INSERT INTO event", "INSERT INTO event"), 0, False),
        (("SELECT 1",), 0, False),
        ((), 2, False),
    ],
)
def test_a_post_may_add_one_insert_and_one_command(statements: tuple[str, ...], commands: int, holds: bool) -> None:
    report, plain = Report(""), seen("BEGIN", "COMMIT")
    told = seen("BEGIN", *statements, "COMMIT", commands=commands)
    posts.tell(report, {"quiet": plain, "untold": plain, "told": told})
    assert report.holds is holds


def test_what_is_sent_is_shown_side_by_side_and_what_differs_last() -> None:
    matrix = posts.side_by_side("", {"one": Counter("ac"), "two": Counter("abcc")})
    assert matrix.rows == [["a", 1.0, 1.0], ["b", 0.0, 1.0], ["c", 1.0, 2.0]]


def test_the_document_shows_bars_first_and_says_what_is_missing(tmp_path: Path) -> None:
    report = Report("Reads")
    report.add("20 cases", 9.5, "ms", at_most=reads.PAGE)
    report.finish(tmp_path / "reads.json")
    document = api.write(tmp_path, tmp_path).read_text()
    assert "| 20 cases | 9.5 ms | ≤ 15 | holds |" in document.partition("## Bars\n")[2].partition("## ")[0]
    assert "`python -m bench.posts` ended before it had measured anything." in document


def test_a_row_of_times_has_all_columns() -> None:
    times = web.Times([1.0, 2.0, 9.0], [3.0], {"web": 4.0}, 5000)
    row: list[Any] = times.row("a")
    assert dict(zip(web.COLUMNS, row, strict=True)) == {
        "": "a",
        "p50": 2.0,
        "p95": 9.0,
        "p99": 9.0,
        "client p50": 3.0,
        "web CPU": 4.0,
        "PostgreSQL CPU": 0.0,
        "kB": 5.0,
    }
