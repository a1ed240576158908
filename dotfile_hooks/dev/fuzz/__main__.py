"""`make fuzz`: hostile and random requests at a live server, until one is answered as it must not be.

Each answer is held against an OpenAPI document: our own, as the server serves it, or the one that is named. Nothing may
be answered with a server error, and no program may log an error, a key or a person. Ends with 0 when all is well, 1
when not, 2 when the document cannot be used. The same seed sends the same requests, but for the ids of rows.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from dotfile_hooks.dev import places, processes
from dotfile_hooks.dev.conformance import stage

from . import logs, mending

console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
# Webhooks get URLs of all kinds here. No name is found, so that nobody else is called; the receiver has an address.
NO_NAMES = {"EGRESS_DNS_SERVERS": "127.0.0.1:1", "EGRESS_DNS_TIMEOUT": "0.2"}


class Unusable(Exception):
    """Nothing can be sent by this document; the text says why."""


def main() -> int:
    options = _options()
    processes.end_cleanly()
    try:
        given = read(options.openapi) if options.openapi else None
        with processes.sentences(), places.throwaway_folder() as (folder, _):
            problems = run(folder, given, options)
            if problems and (kept := places.kept_copy(folder / stage.LOG, "fuzz.log")):
                console.print(f"What the programs printed is in {kept}")
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2
    for problem in problems:
        console.print(f"[red]{escape(problem)}[/red]", soft_wrap=True)
    if not problems:
        console.print("[green]Every answer was as it must be.[/green]")
    return 1 if problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dotfile_hooks.dev.fuzz", description=__doc__)
    parser.add_argument("openapi", type=Path, nargs="?", help="an OpenAPI 3 document (JSON); left out: our own")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31), help="left out: another one each time")
    parser.add_argument("--examples", type=int, default=25, help="random requests of each kind to each operation (25)")
    parser.add_argument("--hostile", type=int, default=3000, help="requests that break other rules (3,000)")
    parser.add_argument(
        "--quick", action="store_true", help="only a seed's own requests, not every limit of each value"
    )
    return parser.parse_args()


def read(path: Path) -> dict[str, Any]:
    """The document of somebody else. Raises Unusable."""
    try:
        document = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Unusable(f"{path} cannot be read as JSON: {error}.") from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise Unusable(f"{path} is not an OpenAPI 3 document.")
    made: dict[str, Any] = mending.mended(document)
    return made


def run(folder: Path, given: dict[str, Any] | None, options: argparse.Namespace) -> list[str]:
    """Sends everything; returns what is wrong. Raises StartError."""
    began = time.monotonic()
    _say(f"Seed {options.seed}. Starting servers, web, workers and a receiver")
    with stage.running(folder, NO_NAMES) as running:
        from . import session  # models can be imported only when Django is set up

        fuzzing = session.Session(folder, running.api, running.receiver, options.seed)
        problems = fuzzing.be_hostile(options.hostile, _say)
        problems += fuzzing.follow(given, options.examples, options.quick, _say)
        running.programs.check()
        console.print(fuzzing.table())
    problems += logs.faults(folder / stage.LOG, fuzzing.secrets)
    _say(f"Took {time.monotonic() - began:.0f} s")
    return problems


def _say(line: str) -> None:
    console.print(f"[dim]·[/dim] {escape(line)}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
