"""The open-loop load: when its clients save, what its ledger finds, when a rate is sustained."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import ledger, load
from bench.generator import Change, Client, Plan
from bench.ledger import Ledger
from bench.receiver import Post
from bench.results import Report
from cases.models import Case
from deliveries.models import Event
from workspaces.models import Workspace


def plan(rate: float = 50.0, seconds: float = 20.0, seed: int = 1) -> Plan:
    return Plan([], rate, seconds, seed, begin=1000.0)


def test_moments_are_chosen_beforehand_within_the_time_of_the_plan() -> None:
    moments = list(plan().moments())
    assert moments == sorted(moments) == list(plan().moments())
    assert 1000 <= moments[0] <= moments[-1] < 1020
    assert list(plan(seed=2).moments()) != moments


def test_moments_are_as_many_as_the_rate_says_and_not_evenly_spaced() -> None:
    moments = list(plan().moments())
    assert 900 < len(moments) < 1100
    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert min(gaps) < 0.002 < 0.06 < max(gaps)


@pytest.mark.django_db(transaction=True)
def test_a_client_creates_cases_and_approves_every_fourth_time_one_event_each() -> None:
    client = Client(Workspace.objects.create(name="load"))
    made = [client.change(due=0.0) for _ in range(8)]
    assert [change.event.rpartition(".")[2] for change in made] == [*["Created"] * 3, "StatusUpdated"] * 2
    assert Case.objects.filter(status="approved").count() == 2
    recorded = Event.objects.order_by("id").values_list("case_id", "name")
    assert [(str(case), name) for case, name in recorded] == [(change.case, change.event) for change in made]
    assert all(change.began <= change.committed <= change.returned for change in made)


def change(case: str, committed: float = 1.0, workspace: str = "w") -> Change:
    return Change(workspace, case, "Case.Created", 0.0, 0.0, committed, 0.0)


def post(path: str, event: str, at: float) -> Post:
    return Post(path, event, at, at)


def test_every_subscription_of_the_changes_workspace_is_to_be_told() -> None:
    events = {("a", "Case.Created"): "e1", ("b", "Case.Created"): "e2"}
    wanted = ledger.wanted([change("a", 1.5), change("b", 2.5, "v")], events, {"w": ["x/1", "x/2"], "v": ["y"]})
    assert wanted == {("/x/1", "e1"): 1.5, ("/x/2", "e1"): 1.5, ("/y", "e2"): 2.5}


def test_each_change_without_an_event_is_missing() -> None:
    wanted = ledger.wanted([change("a"), change("b")], {}, {"w": ["x"]})
    assert ledger.compare(wanted, []).problems == ["2 of 2 missing"]


@pytest.mark.parametrize(
    ("posts", "times", "problems"),
    [
        ([post("/x", "e1", 1.25), post("/x", "e2", 1.5)], [250.0, 500.0], []),
        ([post("/x", "e1", 1.25)], [250.0], ["1 of 2 missing"]),
        ([post("/y", "e1", 1.25), post("/x", "e2", 1.5)], [500.0], ["1 of 2 missing", "1 of 2 unexpected"]),
        (
            [post("/x", "e1", 2.0), post("/x", "e2", 1.5), post("/x", "e1", 1.25)],
            [250.0, 500.0],
            ["1 of 2 received twice"],
        ),
    ],
)
def test_what_was_received_is_held_against_what_was_committed(
    posts: list[Post], times: list[float], problems: list[str]
) -> None:
    found = ledger.compare({("/x", "e1"): 1.0, ("/x", "e2"): 1.0}, posts)
    assert (found.times, found.problems, found.adds_up) == (times, problems, not problems)


def test_a_load_of_nothing_is_void() -> None:
    nothing = ledger.compare({}, [])
    assert not nothing.adds_up
    report = Report("")
    load.tell(report, "x", load.Step(100.0, nothing, 0.0, 0.0, 0.0, [], [], {}), judged=False)
    assert report.voids == ["x, 100/s: nothing was to be received"]


@pytest.mark.parametrize(
    ("planned", "committed", "received", "times", "missing", "sustained"),
    [
        (100.0, 100.0, 1.0, [5.0], 0, True),
        (100.0, 96.0, 0.96, [1000.0], 0, True),
        (100.0, 94.0, 1.0, [5.0], 0, False),
        (94.0, 94.0, 1.0, [5.0], 0, True),  # chance planned no more
        (110.0, 100.0, 1.0, [5.0], 0, False),
        (100.0, 100.0, 0.94, [5.0], 0, False),
        (100.0, 100.0, 1.0, [1001.0], 0, False),
        (100.0, 100.0, 1.0, [5.0], 1, False),
    ],
)
def test_a_rate_is_sustained_when_it_is_committed_and_received_in_time(
    planned: float, committed: float, received: float, times: list[float], missing: int, sustained: bool
) -> None:
    found = Ledger(1, times, missing, 0, 0)
    assert load.Step(100.0, found, planned, committed, received, [], [], {}).is_sustained is sustained


def test_a_load_of_real_processes_adds_up(tmp_path: Path) -> None:
    path = tmp_path / "load.json"
    environment = {name: value for name, value in os.environ.items() if name not in ("DEBUG", "DJANGO_SETTINGS_MODULE")}
    options = ["--rates", "30", "--seconds", "1", "--most", "30", "--json", str(path)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", *options], env=environment, capture_output=True, text=True, timeout=600
    )
    assert path.exists(), done.stderr
    report = json.loads(path.read_text())
    assert report["voids"] == []
    assert {each["name"] for each in report["series"]} >= {"one subscription: p99", "3 subscriptions: p99"}
    assert all(each["x"] == [30.0] and each["y"][0] > 0 for each in report["series"])
