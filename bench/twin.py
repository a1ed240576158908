"""A naive twin of the delivery path: one Celery task for each delivery, `requests.post`, ORM rows (bench.twin_app).

`python -m bench.twin [--deliveries 2000] [--json PATH]`: by one process and by two. Its tasks are queued before the
clock starts.
"""

from __future__ import annotations

import sys
import time

from dotfile_hooks.dev import processes
from dotfile_hooks.dev.supervisor import Program

from . import results, runs, site
from .floor import BODY
from .results import Report, say
from .runs import Run, Tally

QUEUE = "twin"
WORKER = (
    "exec celery --quiet -A bench.twin_app worker -n twin@%h -Q {queue} -P prefork -c {number} "
    "--without-gossip --without-mingle --without-heartbeat -l WARNING"
)
PATIENCE = 300.0


def run(found: site.Site, count: int, number: int) -> Run:
    """Fills tables of its own and Celery's queue, then has a worker of so many processes empty them."""
    from . import twin_app

    ids = fill(found, count)
    worker = _worker(found, number)
    for key in ids:
        twin_app.send_webhook.delay(key)
    run = _emptied(found, f"twin, {count:,} by {number}", count)
    found.stop(worker)
    return run


def fill(found: site.Site, count: int) -> list[int]:
    """New tables with so many deliveries that wait; their keys."""
    from django.db import connection

    from . import twin_app

    names = ", ".join(model._meta.db_table for model in twin_app.MODELS)
    site.execute(found.database_url, f"DROP TABLE IF EXISTS {names}")
    with connection.schema_editor() as editor:
        for model in twin_app.MODELS:
            editor.create_model(model)
    event = {"name": "Case.Created", "body": '{"event":"Case.Created","case":"'.ljust(BODY - 2, "x") + '"}'}
    events = twin_app.Event.objects.bulk_create(twin_app.Event(**event) for _ in range(count))
    made = [twin_app.Delivery(event=event, url=found.url("ok/twin")) for event in events]
    return [row.pk for row in twin_app.Delivery.objects.bulk_create(made)]


def _worker(found: site.Site, number: int) -> Program:
    """One that waits, beside a queue that stays empty, until it is told of the right one."""
    program = found.programs.start("twin", WORKER.format(queue=f"{QUEUE}-idle", number=number))
    from . import twin_app

    found.programs.wait_for("the twin's worker", lambda: bool(twin_app.app.control.ping(timeout=0.3)))
    return program


def _emptied(found: site.Site, what: str, count: int) -> Run:
    from . import twin_app
    from .twin_app import Attempt, Delivery

    requests, before = found.received(), found.cpu()
    began = time.time()
    twin_app.app.control.add_consumer(QUEUE)
    site.wait_until(
        lambda: Delivery.objects.filter(status="succeeded").count() >= count, PATIENCE, "the twin's deliveries", 0.2
    )
    cpu = runs.spent(before, found.cpu())
    last = Delivery.objects.latest("updated_at").updated_at.timestamp()
    attempted = Attempt.objects.values("delivery_id").distinct().count()
    tally = Tally(count, count, Attempt.objects.count(), attempted, found.received() - requests)
    return Run(what, count, last - began, cpu, tally.problems())


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--deliveries", type=int, default=2_000)
    options = parser.parse_args()
    report = Report("A naive twin: a task for each delivery")
    with processes.sentences(), site.running(receiver="bench.sink") as found:
        for number in (1, 2):
            done = run(found, options.deliveries, number)
            say(done.told())
            report.add(f"deliveries by {number}", done.rate, "1/s")
            report.check(done)
    return report.finish(options.json)


if __name__ == "__main__":
    sys.exit(main())
