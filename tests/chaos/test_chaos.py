"""The proof under fire, bounded: real processes killed under load, with servers of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dotfile_hooks.dev import places

SEEDS = os.environ.get("CHAOS_SEEDS", "2").split(",")
"""Others by the environment: CHAOS_SEEDS=1,2,3."""
EVENTS, KILLS = 2_000, 12
LIMIT = 900
"""Seconds after which a program is taken for one that hangs; a pass takes a minute, on a busy machine some."""


def chaos(path: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Its exit status, its figures, and what it printed."""
    figures = path / "figures.json"
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *arguments, "--json", str(figures)],
        cwd=places.CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
    )
    return done.returncode, json.loads(figures.read_text()) if figures.exists() else {}, done.stdout


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_nothing_unexpected_arrives_under_fire(tmp_path: Path, seed: str) -> None:
    status, figures, said = chaos(
        tmp_path, "--seed", seed, "--events", str(EVENTS), "--kills", str(KILLS), "--minutes", "0.5"
    )
    assert status == 0, said
    assert (figures["verdict"], figures["lost"], figures["unexpected"]) == ("green", 0, 0)
    assert figures["committed"] >= EVENTS
    assert figures["kills"] >= KILLS


@pytest.mark.parametrize(
    ("option", "known"), [("--only", "kill_child, kill_parent"), ("--sabotage", "drop, forget, abandon")]
)
def test_a_fault_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path, option: str, known: str) -> None:
    status, figures, said = chaos(tmp_path, option, "no_such_fault")
    assert (status, figures) == (1, {})
    assert f"{option}: there is no" in said
    assert known in said
    assert "Traceback" not in said


def test_an_engine_broken_on_purpose_is_found_out(tmp_path: Path) -> None:
    """Each way for its own reason; the same without sabotage is green."""
    command = [sys.executable, "-m", "tests.chaos.selfcheck", *REASONS]
    done = subprocess.run(command, cwd=places.CHECKOUT, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.pop("") == []
    assert {way: reason in found[way] for way, reason in REASONS.items()} == dict.fromkeys(REASONS, True)


REASONS = {
    "drop": "lost",
    "abandon": "abandoned",
    "twice": "repeated",
    "swap": "disorder",
    "leak": "unexpected",
    "mislabel": "altered",
    "backdate": "unsigned",
    "recount": "miscounted",
    "miscount": "ledger",
}
"""Which rule each sabotage must break."""
