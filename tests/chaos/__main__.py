"""`make chaos`: breaks everything for a while, and says what was lost. The same seed brings the same faults."""

from __future__ import annotations

import argparse
import secrets
import sys
from pathlib import Path

from dotfile_hooks.dev import processes

from . import ground


def main() -> int:
    options = _arguments()
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    print(f"seed {seed}: {options.events:,} events, {options.kills} kills in {options.minutes:g} minutes", flush=True)
    processes.end_cleanly()
    with processes.sentences(), ground.standing() as found:
        from . import gather, run  # Django is ready only now

        run.refuse_unknown(options.only, options.sabotage)
        chosen = run.Options(seed, options.events, options.kills, options.minutes * 60, options.only, options.sabotage)
        report = run.run(found, chosen)
        if options.keep:
            keep(found.folder, options.keep)
    if options.json:
        gather.dump(options.json, report.figures())
    print("\n".join(report.lines()))
    return 0 if report.colour == "green" else 1


def keep(folder: Path, to: Path) -> None:
    """Logs, history and what was received, for a closer look."""
    to.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.*"):
        if path.is_file():
            (to / path.name).write_bytes(path.read_bytes())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="of an earlier run, to repeat its faults")
    parser.add_argument("--events", type=int, default=100_000, help="events to be committed")
    parser.add_argument("--kills", type=int, default=200, help="processes to be killed")
    parser.add_argument("--minutes", type=float, default=12, help="of load; the drain and the check come on top")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="FAULT", help="faults by name (faults.py); default all"
    )
    parser.add_argument("--sabotage", default="", help="break the engine on purpose (sabotage.py): must end red")
    parser.add_argument("--json", help="where to write the figures")
    parser.add_argument("--keep", type=Path, help="a folder for logs, history and receipts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
