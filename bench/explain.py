"""The plan of every hot statement, as the engine really sends it, beside 100,000 waiting deliveries.

`python -m bench.explain [--waiting 100000] [--json PATH]`: saves, a courier and the chores, in this process. Each
statement is explained with the values it is about to run with, and what that did is rolled back. Whole plans go to the
JSON; printed is how long each took, and whether it read a table that grows from end to end.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from dotfile_hooks.dev import processes

from . import results, site
from .results import Matrix, Report, Text, say

if TYPE_CHECKING:
    from uuid import UUID

    from .backlog import Cast
    from .plans import Statement, Watch

LEASE = "4"
"""Seconds: short, so that leases are renewed while we look on."""
SECONDS = 3.0
"""That the courier works."""
SAVES, BULK, REVISIONS = 40, 1000, 3
LANES = 50
"""Of the thousand: a courier has time for all of them."""


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--waiting", type=int, default=100_000, help="deliveries")
    options = parser.parse_args()
    report = Report(f"Plans of hot statements, {options.waiting:,} deliveries waiting")
    with processes.sentences(), site.running(DELIVERY_LEASE=LEASE) as found:
        tell(report, list(seen(found, options.waiting).statements.values()))
    return report.finish(options.json)


def seen(found: site.Site, waiting: int) -> Watch:
    from deliveries.models import Attempt

    from . import backlog, plans, rounds

    cast = backlog.cast(found.url("ok"))
    save(found)  # first in the queue, so that what is told in order is among what is sent
    (database,) = backlog.copied([waiting])
    backlog.fill(database, cast)
    rounds.make_due([*cast.kinds["one"], *cast.kinds["thousand"][:LANES]])
    watch = plans.Watch()
    with watch.on():
        save(found)
        say("a courier works")
        deliver()
    sent = Attempt.objects.values_list("delivery_id", flat=True)[0]
    with watch.on():
        do_chores(cast, sent)
    return watch


def save(found: site.Site) -> None:
    """One by one, in bulk, and several changes of one case, which are sent in order."""
    from . import world

    of = world.workspace("saving")
    world.subscribe(of, found.url("ok/saving"), ordered=True, events=["Case.Created", "Case.Updated"])
    world.gather_statistics()
    for _ in range(SAVES):
        case = world.Case.objects.create(workspace=of, name="Dotfile")
    for number in range(REVISIONS):
        case.name = f"Dotfile {number}"
        case.save()
    world.create_in_bulk(of, BULK)


def deliver() -> None:
    """As a worker's process does, but it ends after a few seconds."""
    from deliveries import tasks
    from deliveries.engine import outbound
    from deliveries.engine.courier import Courier

    end = time.monotonic() + SECONDS
    Courier("bench", outbound.window(), tasks.DOMAIN, lambda: time.monotonic() > end).run()


def do_chores(cast: Cast, sent: UUID) -> None:
    """What beat, the chores and people do: look for what is due, recover, set aside, remove what is old, look back."""
    from deliveries.engine import aside, health, recovering, sweep
    from deliveries.models import Recovery, Subscription

    from . import rounds

    sweep.look()
    (held,) = Subscription.objects.filter(pk__in=cast.kinds["held"])
    recovering.start_for_what_is_held(held)
    recovering.run()
    Recovery.objects.all().delete()
    (later,) = cast.kinds["later"]
    health.go_offline(later, "explained")
    aside.run()
    rounds.expire()
    rounds.history(sent)


def tell(report: Report, statements: list[Statement]) -> None:
    matrix = Matrix("Milliseconds of the last call that was explained, planning included", ["", "ms", "calls"])
    for each in sorted(statements, key=lambda statement: statement.name):
        matrix.rows.append([each.name, each.took, each.calls])
        report.texts.append(Text(f"{each.name}: {each.took:.2f} ms", f"{each.sql}\n\n{each.plan}"))
        if each.read_whole:
            report.notes.append(f"{each.name} reads {', '.join(each.read_whole)} from end to end")
    report.matrices.append(matrix)
    report.add("statements explained", len(statements), at_least=1)
    whole = sum(bool(each.read_whole) for each in statements)
    report.add("that read a table that grows from end to end", whole, at_most=0)


if __name__ == "__main__":
    sys.exit(main())
