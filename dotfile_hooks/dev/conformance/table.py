"""Shows a person what the judge found, event by event."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .judge import Row

FIRST = 5  # problems shown of an event: they tend to have one cause
RIGHT = {"received", "by its name"}


def table(rows: Sequence[Row]) -> Table:
    """A line for each event, and beneath it what is wrong with it."""
    result = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("event", "sub_event", "received", "by its name", ""):
        result.add_column(name, justify="right" if name in RIGHT else "left", no_wrap=name != "")
    for row in rows:
        counts = [str(count or "") for count in (row.received, row.asked_by_name)]
        result.add_row(escape(row.event), escape(row.sub_event), *counts, _told(row))
    return result


def _told(row: Row) -> str:
    if not row.is_made:
        return "[dim]not made here[/dim]"
    if not row.problems:
        return "[green]valid[/green]" if row.is_described else "[dim]not in the document[/dim]"
    lines = [f"{escape(problem)} [dim]x{count}[/dim]" for problem, count in row.problems.most_common(FIRST)]
    if len(row.problems) > FIRST:
        lines.append(f"[dim]and {len(row.problems) - FIRST} more[/dim]")
    return "[red]WRONG[/red]\n" + "\n".join(lines)


def verdict(console: Console, rows: Sequence[Row], faults: Sequence[str] = ()) -> bool:
    """The last sentence; answers whether all is well. `faults` are of the way, not of a body."""
    for fault in faults:
        console.print(f"[red]{escape(fault)}[/red]")
    made = [row for row in rows if row.is_made]
    bad = [row.name for row in made if row.problems]
    if bad:
        sentence = f"{len(bad)} of {len(made)} events did not arrive, or are not valid"
        console.print(f"[red]{sentence}:[/red] {', '.join(bad)}.", soft_wrap=True)
        return False
    described = sum(row.is_described for row in made)
    sentence = f"All {len(made)} events arrived; the document describes {described} of them, and these are valid."
    console.print(f"[green]{sentence}[/green]")
    return not faults
