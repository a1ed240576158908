"""Shows a person what came of each operation."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dotfile_hooks.dev.conformance.table import first

from .record import Row


def table(rows: Sequence[Row]) -> Table:
    """A line for each operation of the document, those that are not here last."""
    result = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("operation", "answers", ""):
        result.add_column(name, no_wrap=name == "operation")
    for row in sorted(rows, key=lambda row: not row.is_served):
        answers = ", ".join(f"{count} x {status}" for status, count in sorted(row.statuses.items()))
        result.add_row(escape(row.operation.name), answers, _told(row))
    return result


def _told(row: Row) -> str:
    if not row.is_served:
        return "[dim]not here[/dim]"
    if row.problems:
        return "\n".join(["[red]WRONG[/red]", *first(row.problems)])
    return "[green]valid[/green]"


def shown(console: Console, rows: Sequence[Row], stuck: Sequence[str]) -> bool:
    """The table and its last sentences; answers whether all is well. `stuck` says where the story ended early."""
    console.print(table(rows))
    return verdict(console, rows, stuck)


def verdict(console: Console, rows: Sequence[Row], stuck: Sequence[str]) -> bool:
    """The last sentences; answers whether all is well. `stuck` says where the story ended early."""
    for sentence in stuck:
        console.print(f"[red]{escape(sentence)}[/red]", soft_wrap=True)
    for note in sorted({note for row in rows for note in row.notes}):
        console.print(f"[dim]Left open: {escape(note)}[/dim]", soft_wrap=True)
    served = [row for row in rows if row.is_served]
    bad = [row.operation.name for row in served if row.problems]
    if bad:
        sentence = f"{len(bad)} of {len(served)} operations do not do as the document says"
        console.print(f"[red]{sentence}:[/red] {', '.join(bad)}.", soft_wrap=True)
    if bad or stuck:
        return False
    calls = sum(sum(row.statuses.values()) for row in rows)
    sentence = f"{calls} calls of {len(served)} of the document's {len(rows)} operations: all as it says."
    console.print(f"[green]{sentence}[/green]")
    return True
