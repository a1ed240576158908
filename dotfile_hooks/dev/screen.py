"""Shows what several programs print, each line with its program's name in a colour of its own."""

from __future__ import annotations

import selectors
import sys
import threading
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from .supervisor import Program

COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green")
CHUNK = 65536  # bytes read at a time


class Screen:
    """Reads the programs' pipes in a thread until all are closed, so that none of them ever waits for us."""

    def __init__(self, programs: Sequence[Program]) -> None:
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._width = max(len(program.name) for program in programs)
        self._rest: dict[str, bytes] = {}
        self._selector = selectors.DefaultSelector()
        self._colours = {}
        for program, colour in zip(programs, COLOURS * len(programs), strict=False):
            self._colours[program.name] = colour
            if program.process.stdout is not None:
                self._selector.register(program.process.stdout, selectors.EVENT_READ, program.name)
        # After all programs were started: a fork beside a running thread may inherit a lock that nobody opens.
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while self._selector.get_map():
            for key, _ in self._selector.select():
                data = key.fileobj.read1(CHUNK)  # type: ignore[union-attr]  # we registered buffered readers only
                if data:
                    self._show(key.data, data)
                else:
                    self._selector.unregister(key.fileobj)

    def _show(self, name: str, data: bytes) -> None:
        *lines, self._rest[name] = (self._rest.get(name, b"") + data).split(b"\n")
        for line in lines:
            prefix = Text(f"{name:<{self._width}} | ", style=self._colours[name])
            self._console.print(prefix + Text(line.decode(errors="replace").rstrip("\r")))
