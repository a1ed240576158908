"""A process that sends to each URL it is given and tells how much memory that took. For Linux.

    python -m tests.deliveries.engine.appetite BUNDLE COUNT WARM_UP_URL WARM_UP_URL URL...

COUNT requests go to each URL at the same time, and their outcomes are kept until all are there. A line each: bytes.
The first two are not counted: what a slot needs, with TLS and without, is no answer's doing.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import requests

from deliveries.engine.transport import Limits, Window, send_many

from .conftest import LOOPBACK

LIMITS = Limits(connect_timeout=1.0, timeout=1.0)


def memory(name: str) -> int:
    """Bytes: VmRSS is what this process has, VmHWM the most it had. Not getrusage's: that begins with the parent's."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def main(bundle: str, count: int, urls: list[str]) -> None:
    window: Window[int] = Window(LOOPBACK, size=count, verify=bundle)
    for url in urls[:2] * 5:
        send(window, url, count)
    for url in urls[2:]:
        Path("/proc/self/clear_refs").write_text("5")  # the most begins anew
        before = memory("VmRSS")
        send(window, url, count)
        print(memory("VmHWM") - before, flush=True)  # noqa: T201  # for whoever started us


def send(window: Window[int], url: str, count: int) -> None:
    requests_ = [(number, requests.Request("POST", url, data=b"{}").prepare()) for number in range(count)]
    assert len(list(send_many(window, requests_, LIMITS))) == count


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
