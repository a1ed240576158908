"""The floor: read, sign, send and settle in batches, and nothing around it: no Django, Celery, lanes or retries.

`python -m bench.floor [--deliveries 40000] [--json PATH]`: by one process and by two. It shares PostgreSQL, the
receiver and the size of the bodies with what is measured beside it, and says what this machine could do at best.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time

from dotfile_hooks.dev import processes
from dotfile_hooks.dev.processes import StartError

from . import results, runs, site
from .results import Report, say
from .runs import Run, Tally

BODY = 1500
"""Bytes."""
TABLES = """
DROP TABLE IF EXISTS floor_event, floor_delivery, floor_attempt;
CREATE TABLE floor_event (id uuid PRIMARY KEY, body text NOT NULL);
CREATE TABLE floor_delivery (id uuid PRIMARY KEY, event_id uuid NOT NULL, state smallint NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL, attempts int NOT NULL DEFAULT 0);
CREATE TABLE floor_attempt (id uuid PRIMARY KEY, delivery_id uuid NOT NULL, at timestamptz NOT NULL, status int,
    milliseconds int, answer text);
"""
FILL = """
WITH event AS (
    INSERT INTO floor_event SELECT deliveries_uuid7(), rpad('{{"event":"Case.Created","case":"', {size}, 'x') || '"}}'
    FROM generate_series(1, {count}) RETURNING id
)
INSERT INTO floor_delivery SELECT deliveries_uuid7(), id, 0, clock_timestamp() FROM event;
CREATE INDEX ON floor_delivery (due_at) WHERE state = 0; CREATE INDEX ON floor_attempt (delivery_id);
"""
COUNTS = """
SELECT (SELECT count(*) FROM floor_delivery WHERE state = 2), count(*), count(DISTINCT delivery_id) FROM floor_attempt
"""


def run(found: site.Site, count: int, number: int) -> Run:
    """Fills tables of its own, then empties them; the ledger is in the run."""
    fill(found.database_url, count)
    requests, before = found.received(), found.cpu()
    seconds, used = _work(number, found)
    cpu = {"worker": used} | {name: cpu for name, cpu in runs.spent(before, found.cpu()).items() if name != "worker"}
    succeeded, attempts, attempted = (int(str(each)) for each in site.execute(found.database_url, COUNTS)[0])
    tally = Tally(count, succeeded, attempts, attempted, found.received() - requests)
    what = f"floor, {count:,} by {number}"
    return Run(what, count, seconds, cpu, tally.problems())


def fill(database_url: str, count: int) -> None:
    """New tables with so many deliveries that wait, in the state that vacuum leaves them in."""
    site.execute(database_url, TABLES + FILL.format(size=BODY - 2, count=count))
    for command in ("VACUUM ANALYZE floor_event", "VACUUM ANALYZE floor_delivery", "CHECKPOINT"):
        site.execute(database_url, command)


def _work(number: int, found: site.Site) -> tuple[float, float]:
    """Starts so many processes, connected already; seconds until the last of them had nothing left, and their CPU."""
    command = [sys.executable, "-m", "bench.floor_worker", found.url("ok/floor")]
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(_started(command)) for _ in range(number)]
        for each in workers:
            _said_by(each)
        began = time.monotonic()
        for each in workers:
            print(file=each.stdin, flush=True)
        ends = [tuple(map(float, _said_by(each).split())) for each in workers]
    return max(at for _, at in ends) - began, sum(cpu for cpu, _ in ends)


def _started(command: list[str]) -> subprocess.Popen[str]:
    tie = processes.tied(signal.SIGKILL)
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=tie)


def _said_by(worker: subprocess.Popen[str]) -> str:
    assert worker.stdout is not None
    if line := worker.stdout.readline():
        return line
    raise StartError("A process of the floor ended early; its last lines say why.")


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--deliveries", type=int, default=40_000)
    options = parser.parse_args()
    report = Report("The floor: without Django or Celery")
    with processes.sentences(), site.running(receiver="bench.sink") as found:
        for number in (1, 2):
            done = run(found, options.deliveries, number)
            say(done.told())
            report.add(f"deliveries by {number}", done.rate, "1/s")
            report.check(done)
    return report.finish(options.json)


if __name__ == "__main__":
    sys.exit(main())
