"""`make conformance OPENAPI=openapi.json`: holds what this product says against the document, over real HTTP.

Every event, as received, against its callback; every operation that the API has, called with all that it may be sent,
against its request and its answers. Ends with 0 when all is as the document says, 1 when not, 2 when the document
cannot be used.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from dotfile_hooks.dev import places, processes
from dotfile_hooks.dev.processes import StartError

from . import document, judge, stage, table
from .api import table as calls
from .contract import Contract
from .document import Unusable
from .judge import Endpoint, Row

if TYPE_CHECKING:
    from .api import record

MAIN, OTHER, API = "/main", "/by-name", "/api"  # where the receiver gets what
WIDTH = 150  # of what is printed when nobody says how wide it may be

console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dotfile_hooks.dev.conformance", description=__doc__)
    parser.add_argument("openapi", type=Path, help="an OpenAPI 3 document (JSON) with callbacks or webhooks")
    options = parser.parse_args()
    processes.end_cleanly()
    try:
        contract = Contract(document.read(options.openapi))
        with processes.sentences(), places.throwaway_folder() as (folder, _):
            if run(contract, folder):
                return 0
            if kept := places.kept_copy(folder / stage.LOG, "conformance.log"):
                console.print(f"What the programs printed is in {kept}")
            return 1
    except Unusable as error:
        print(error, file=sys.stderr)
        return 2


def run(contract: Contract, folder: Path) -> bool:
    """Plays all changes and judges what came of them; answers whether all is well. Raises Unusable."""
    began = time.monotonic()
    events, operations = len(contract.names), len(contract.operations)
    _say(f"The document describes {events} events and {operations} operations. Starting servers, API and a receiver")
    try:
        with stage.running(folder) as running:
            rows, faults = play(running, contract)
            called, stuck = call(running, contract) if operations else ([], [])
    except StartError as error:
        console.print(f"[red]{escape(str(error))}[/red]", soft_wrap=True)
        return False
    if contract.unchecked_formats:
        _say(f"Formats nobody checks here: {', '.join(contract.unchecked_formats)}")
    _say(f"Took {time.monotonic() - began:.0f} s")
    are_well = table.shown(console, rows, faults)
    return (not operations or calls.shown(console, called, stuck)) and are_well


def call(running: stage.Stage, contract: Contract) -> tuple[list[record.Row], list[str]]:
    """What came of each operation, and where the story that calls them ended early."""
    from .api import run  # models can be imported only when Django is set up

    _say("Calling the API")
    return run.play(running.api, running.receiver + API, contract)


def play(running: stage.Stage, contract: Contract) -> tuple[list[Row], list[str]]:
    """What came of each event, and what went wrong on the way. Raises StartError."""
    from checks.models import CheckType  # models can be imported only when Django is set up

    from . import arrival
    from .changes import world

    there = world.made(running.receiver + MAIN, running.receiver + OTHER)
    _say("Changing rows")
    world.change_everything(there)
    _say("Waiting for the deliveries")
    faults = arrival.wait(running.programs)
    main = Endpoint(there.main.secret, running.posts(MAIN))
    other = Endpoint(there.other.secret, running.posts(OTHER))
    return judge.judge(contract, main, other, CheckType.values), faults


def _say(line: str) -> None:
    console.print(f"[dim]·[/dim] {line}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
