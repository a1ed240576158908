"""Runs Schemathesis, in a process of its own, and reads what it did."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .addresses import nameless

REPORT = "requests.ndjson"
EVERYWHERE = ("not_a_server_error", "response_schema_conformance", "content_type_conformance")
"""What holds of any document. Dotfile's names no answer to a bad key, nor to too many requests."""
WHOLE = "examples,coverage,fuzzing,stateful"
QUICK = "examples,fuzzing"
"""Without coverage, which is thousands of requests whatever else is said, the same for every seed."""
OURS = (
    *EVERYWHERE,
    *("status_code_conformance", "response_headers_conformance", "negative_data_rejection", "ignored_auth"),
    *(
        "unsupported_method",
        "allow_header_conformance",
        "missing_required_header",
        "use_after_free",
        "ensure_resource_availability",
    ),
)
"""What must hold of our own."""


def run(folder: Path, base: str, seed: int, examples: int, phases: str, checks: tuple[str, ...]) -> int:
    """Sends what the plan in `folder` says. Returns the exit status; failures are printed, each with a curl command."""
    options = {
        "--url": base,
        "--seed": str(seed),
        "--max-examples": str(examples),
        "--phases": phases,
        "--checks": ",".join(checks),
        "--report": "ndjson",
        "--report-ndjson-path": REPORT,
        "--generation-database": "none",
        "--suppress-health-check": "all",
        "--request-timeout": "30",
        "--warnings": "off",
        "--workers": "1",  # so that a seed is a run; and ast, which Hypothesis uses, miscounts in threads
    }
    program = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run", "openapi.json"]
    words = [word for option in options.items() for word in option]
    return subprocess.call(
        [*program, *words, "--continue-on-failure", "--no-color"], cwd=folder, stdin=subprocess.DEVNULL
    )


def tally(folder: Path) -> dict[str, Counter[int]]:
    """How often each operation was answered with which status; from the report of the run."""
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for operation, status in _answers(folder / REPORT):
        found[operation][status] += 1
    return dict(found)


def _answers(report: Path) -> Iterator[tuple[str, int]]:
    with report.open() as lines:
        for line in lines:
            recorder: dict[str, Any] = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            for name, interaction in recorder.get("interactions", {}).items():
                case = recorder["cases"].get(name, {}).get("value")
                if case and interaction.get("response"):
                    yield f"{case['method'].upper()} {nameless(case['path'])}", interaction["response"]["status_code"]
