"""Shows a person what the demo found."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .judge import Row

CAPTION = "ms: from the moment the change was recorded to the receipt; with +, from when a retry was due."
COLUMNS = ("to", "event, sub_event", "try", "answer", "ms", "sent by", "library", "HMAC")
RIGHT = {"try", "answer", "ms"}


def table(rows: Sequence[Row]) -> Table:
    """Each POST as the receiver got it, in order."""
    result = Table(title="What the receiver got", caption=CAPTION, box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    result.title_justify = result.caption_justify = "left"
    for name in COLUMNS:
        result.add_column(name, justify="right" if name in RIGHT else "left", no_wrap=True)
    for row in rows:
        names, worker = "\n  ".join(row.post.names), row.worker.partition("@")[0]
        texts = row.post.path, names, str(row.attempt), str(row.post.answered), _milliseconds(row), worker
        result.add_row(*map(escape, texts), _mark(row.library), _mark(row.plain))
    return result


def _milliseconds(row: Row) -> str:
    if row.lateness is None:
        return "?"
    return f"{'+' if row.attempt > 1 else ''}{row.lateness * 1000:.0f}"


def _mark(holds: bool) -> str:
    return "[green]ok[/green]" if holds else "[red]NO[/red]"


def verdict(console: Console, problems: Sequence[str]) -> None:
    """The last lines: all well, or every reason why not."""
    if not problems:
        console.print("[green]Every expected webhook came, once, in time, and with both signatures verified.[/green]")
        return
    console.print(f"[red]The demo failed, for {len(problems)} reason(s):[/red]")
    for problem in problems:
        console.print(f"  - {escape(problem)}", soft_wrap=True)
