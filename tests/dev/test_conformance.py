"""The conformance run: its judge must find each thing that can be wrong, or its green line means nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from deliveries.engine import signing
from dotfile_hooks.dev import places
from dotfile_hooks.dev.conformance import judge, table
from dotfile_hooks.dev.conformance.contract import Contract
from dotfile_hooks.dev.conformance.judge import Endpoint, Row
from dotfile_hooks.dev.recording import Post

from .test_conformance_contract import JSON, NESTED, callbacks, contract_of

SECRET = signing.generate_secret()
STATUS: JSON = {"event": "Case.Updated", "sub_event": "Case.StatusUpdated", "case": {"id": "1"}}
APPROVED: JSON = {"event": "Check.Approved", "check": {"id": "1", "type": "aml"}}
DELETED: JSON = {"event": "Case.Deleted", "case": {"id": "1"}}
CASE_BODY: JSON = {"type": "object", "required": ["event", "case"], "properties": {"case": NESTED}}


def post(content: JSON, *, number: int = 1, retry: int = 0, **context: Any) -> Post:
    event_id = str(UUID(int=number))
    told = {"timestamp": time.time(), "event_id": event_id, "retry_count": retry, **context}
    body = json.dumps({**content, "context": told}).encode()
    headers = signing.sign(event_id, int(time.time()), body, [SECRET])
    return Post("/", time.time(), 200, {name.lower(): value for name, value in headers.items()}, body)


def by_name(content: JSON, name: str, **more: Any) -> Post:
    """The same as it comes to who asked for this name."""
    return post({**{key: value for key, value in content.items() if key != "sub_event"}, "event": name}, **more)


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return contract_of(tmp_path, callbacks(Case_Updated=CASE_BODY, CaseReport_Generated=NESTED))


def judged(contract: Contract, main: Sequence[Post], other: Sequence[Post] = ()) -> dict[str, Row]:
    rows = judge.judge(contract, Endpoint(SECRET, main), Endpoint(SECRET, other), ["aml", "ekyc"])
    return {row.name: row for row in rows}


def test_an_event_that_came_by_both_ways_and_fits_is_valid(contract: Contract) -> None:
    posts = [post(STATUS, workspace={})], [by_name(STATUS, "Case.StatusUpdated", retry=1, workspace={})]
    row = judged(contract, *posts)["Case.StatusUpdated"]
    assert (row.received, row.asked_by_name, row.problems) == (1, 1, {})


def test_what_does_not_fit_its_schema_is_told_and_counted(contract: Contract) -> None:
    posts = [post({**STATUS, "case": {}}, number=number) for number in (1, 2)]
    others = [by_name({**STATUS, "case": {}}, "Case.StatusUpdated", number=number) for number in (1, 2)]
    assert judged(contract, posts, others)["Case.StatusUpdated"].problems == {"case.id: is missing": 2}


def test_a_main_event_counts_all_its_sub_events(contract: Contract) -> None:
    rows = judged(contract, [post(STATUS), post({**STATUS, "sub_event": "Case.InfoUpdated"}, number=2)])
    assert rows["Case.Updated"].received == 2
    assert rows["Case.InfoUpdated"].received == 1


def test_a_main_event_is_wrong_when_one_of_its_sub_events_is(contract: Contract) -> None:
    rows = judged(contract, [post({**STATUS, "case": {}})])
    assert rows["Case.Updated"].problems["Case.StatusUpdated of it is wrong"] == 1


def test_a_main_event_without_its_sub_event_is_wrong(contract: Contract) -> None:
    bare = post({key: value for key, value in STATUS.items() if key != "sub_event"})
    assert judged(contract, [bare])["Case.Updated"].problems == {"came without a sub_event": 1}


def test_an_event_that_did_not_arrive_is_missed(contract: Contract) -> None:
    assert judged(contract, [post(STATUS)])["Note.Created"].problems == {"did not arrive": 1}


def test_a_check_event_is_missed_for_each_type_it_did_not_arrive_for(contract: Contract) -> None:
    rows = judged(contract, [post(APPROVED)], [by_name(APPROVED, "Check.Completed")])
    assert rows["Check.Approved"].problems == {"did not arrive for checks of type ekyc": 1}
    assert rows["Check.Completed"].problems == {}


@pytest.mark.parametrize(
    ("other", "problem"),
    [
        (None, "did not come to who asked for it by this name"),
        (post(STATUS), "has a sub_event, though it was asked for by its name"),
        (by_name(STATUS, "Case.StatusUpdated", number=2), "came with an event_id that no main event has"),
        (by_name(STATUS, "Case.InfoUpdated"), "is Case.Updated / Case.StatusUpdated to who asked for the main event"),
        (by_name({**STATUS, "case": {"id": "2"}}, "Case.StatusUpdated"), "does not say the same as its main event"),
        (by_name(STATUS, "Case.StatusUpdated", workspace={}), "does not say the same as its main event"),
    ],
)
def test_a_direct_form_that_differs_in_more_than_its_name_is_found(
    contract: Contract, other: Post | None, problem: str
) -> None:
    rows = judged(contract, [post(STATUS)], [other] if other else [])
    assert problem in {found for row in rows.values() for found in row.problems}


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ({"type": "string", "enum": ["open"]}, "shut", "case.it: 'shut' is not one of ['open']"),
        (NESTED, {}, "case.it.id: is missing"),
        ({"type": "string", "nullable": False}, None, "case.it: None is not of type 'string'"),
        ({"type": "string", "format": "date"}, "31.01.2023", "case.it: '31.01.2023' is not a 'date'"),
    ],
)
def test_each_way_to_break_a_schema_is_shown_with_its_path(
    tmp_path: Path, schema: JSON, value: Any, problem: str
) -> None:
    case = {"type": "object", "properties": {"it": schema}}
    contract = contract_of(tmp_path, callbacks(Case_Deleted={"type": "object", "properties": {"case": case}}))
    row = judged(contract, [post({"event": "Case.Deleted", "case": {"it": value}})])["Case.Deleted"]
    assert problem in shown([row])


def test_a_forged_body_is_found(contract: Contract) -> None:
    true = post(STATUS)
    forged = Post(true.path, true.received_at, 200, true.headers, true.body.replace(b'"1"', b'"2"'))
    found = judged(contract, [forged])["Case.StatusUpdated"].problems
    assert "its Standard Webhooks signature does not hold" in found
    assert "its Dotfile-Signature does not hold" in found


def test_events_of_the_document_that_are_not_made_here_are_listed(contract: Contract) -> None:
    row = judged(contract, [])["CaseReport.Generated"]
    assert not row.is_made
    assert "CaseReport.Generated" in shown([row])
    assert "not made here" in shown([row])


def test_events_that_the_document_does_not_know_are_listed_as_such(contract: Contract) -> None:
    row = judged(contract, [post({"event": "Case.Created"})])["Case.Created"]
    assert "not in the document" in shown([row])


def shown(rows: Sequence[Row]) -> str:
    console = Console(width=150)
    with console.capture() as capture:
        console.print(table.table(rows))
    return capture.get()


def test_the_table_shows_the_first_problems_and_how_often_they_were() -> None:
    row = Row("Case.Created", received=3)
    row.problems.update({f"case.a[{number}]: is missing": 9 - number for number in range(7)})
    text = shown([row])
    assert "case.a[0]: is missing x9" in text
    assert "case.a[5]" not in text
    assert "and 2 more" in text


def test_what_the_document_leaves_open_is_shown_and_no_fault(tmp_path: Path) -> None:
    loose = {"oneOf": [{"type": "object"}, CASE_BODY], "discriminator": {"propertyName": "event"}}
    rows = judged(contract_of(tmp_path, callbacks(Case_Deleted=loose)), [post(DELETED)])
    console, row = Console(width=150), rows["Case.Deleted"]
    with console.capture() as capture:
        assert table.verdict(console, [row])
    assert "The document leaves open: the body: fits more than one alternative" in capture.get()


@pytest.mark.parametrize(("problem", "well"), [("did not arrive", False), (None, True)])
def test_all_is_well_only_without_a_problem(problem: str | None, well: bool) -> None:
    row = Row("Case.Created", received=1)
    row.problems.update([problem] if problem else [])
    assert table.verdict(Console(quiet=True), [row, Row("CaseReport.Generated", is_made=False)]) is well


def test_what_went_wrong_on_the_way_is_told_and_not_well() -> None:
    console = Console(width=150)
    with console.capture() as capture:
        assert not table.verdict(console, [Row("Case.Created", received=1)], ["Case.Created could not be built: x"])
    assert "Case.Created could not be built: x" in capture.get()


def run(path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dotfile_hooks.dev.conformance", str(path)]
    return subprocess.run(command, cwd=places.CHECKOUT, capture_output=True, text=True, timeout=900)


def test_a_document_that_is_not_there_ends_the_run_with_2(tmp_path: Path) -> None:
    done = run(tmp_path / "gone.json")
    assert done.returncode == 2
    assert "gone.json cannot be read: No such file or directory." in done.stderr


def test_a_document_without_callbacks_ends_the_run_with_2(tmp_path: Path) -> None:
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(callbacks()))
    done = run(path)
    assert done.returncode == 2
    assert "has neither callbacks nor webhooks with a JSON body." in done.stderr


def answer(**properties: JSON) -> JSON:
    schema = {"type": "object", "required": [*properties], "properties": properties}
    return {"content": {"application/json": {"schema": schema}}}


TEXT = {"type": "string"}
LABEL = {
    "name": "label",
    "in": "query",
    "description": "You can use the `eq` and `ilike` operators, the `eq` operator being the default.",
    "schema": TEXT,
}
PATHS: JSON = {
    "/v1/ping": {"get": {"responses": {"200": answer(workspace_name=TEXT)}}},
    "/v1/tags": {
        "get": {"parameters": [LABEL], "responses": {"200": answer(data={"type": "array"}, pagination={})}},
        "post": {"requestBody": answer(label=TEXT), "responses": {"201": answer(id=TEXT, label=TEXT), "400": {}}},
    },
    "/v1/tags/{tagId}": {"delete": {"responses": {"204": {}, "404": {}}}},
    "/v1/routines": {"get": {"responses": {"200": answer()}}},
}


def test_events_and_calls_are_as_our_own_document_and_a_few_paths_say(tmp_path: Path) -> None:
    ours = json.loads((places.CHECKOUT / "docs" / "openapi.json").read_text())
    (tmp_path / "openapi.json").write_text(json.dumps(ours | {"paths": PATHS}))
    done = run(tmp_path / "openapi.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Case\.Updated +Case\.StatusUpdated +\d+ +\d+ +valid", done.stdout)
    assert "and these are valid." in done.stdout
    assert re.search(r"GET /v1/tags +3 x 200 +valid", done.stdout)
    assert re.search(r"DELETE /v1/tags/{tagId} +1 x 204, 1 x 404 +valid", done.stdout)
    assert re.search(r"GET /v1/routines +not here", done.stdout)
    assert "of 4 of the document's 5 operations: all as it says." in done.stdout
