"""Shows a person what the judge found, event by event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

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
    if row.problems:
        return "\n".join(["[red]WRONG[/red]", *first(row.problems)])
    if not row.is_described:
        return "[dim]not in the document[/dim]"
    return "[green]valid[/green]"


def first(told: Counter[str]) -> Iterator[str]:
    """The most frequent of these sentences, and how many more there are."""
    for text, count in told.most_common(FIRST):
        yield escape(text) + (f" [dim]x{count}[/dim]" if count > 1 else "")
    if len(told) > FIRST:
        yield f"[dim]and {len(told) - FIRST} more[/dim]"


def notes(rows: Sequence[Row]) -> list[str]:
    """What the document leaves open, each once."""
    return sorted({note for row in rows for note in row.notes})


def shown(console: Console, rows: Sequence[Row], faults: Sequence[str] = ()) -> bool:
    """The table and its last sentences; answers whether all is well."""
    console.print(table(rows))
    return verdict(console, rows, faults)


def verdict(console: Console, rows: Sequence[Row], faults: Sequence[str] = ()) -> bool:
    """The last sentences; answers whether all is well. `faults` are of the way, not of a body."""
    for fault in faults:
        console.print(f"[red]{escape(fault)}[/red]")
    for note in notes(rows):
        console.print(f"[dim]The document leaves open: {escape(note)}[/dim]", soft_wrap=True)
    made = [row for row in rows if row.is_made]
    bad = [row.name for row in made if row.problems]
    if bad:
        sentence = f"{len(bad)} of {len(made)} events did not arrive, or are not valid"
        console.print(f"[red]{sentence}:[/red] {', '.join(bad)}.", soft_wrap=True)
    if bad or faults:
        return False
    described = sum(row.is_described for row in made)
    sentence = f"All {len(made)} events arrived; the document describes {described} of them, and these are valid."
    console.print(f"[green]{sentence}[/green]")
    return True
