"""How long the API's reads take beside 100,000 cases and 1,000,000 webhook logs.

`python -m bench.reads [--cases 100000] [--logs 1000000] [--rounds 300] [--json PATH]`: the web server of the Procfile,
asked by one client over HTTP, one request after another. No worker runs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from dotfile_hooks.dev import processes

from . import machine, results, site, web
from .results import Matrix, Report, percentile, say

if TYPE_CHECKING:
    from .api_rows import Filled

FEW_CASES = 200
"""Of a small workspace beside the large one, in the same tables."""
PAGE = 15.0
"""Milliseconds of server time at the median: a page of 20 of what belongs to cases, ..."""
LOG_PAGE = 50.0
"""... and of webhook logs."""
DEEP = 1000
"""The page that is asked for, of 20 rows each."""


class Read(NamedTuple):
    """A request, and the milliseconds it may take at the median, if there is a bar."""

    name: str
    path: str
    at_most: float | None = None


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--cases", type=int, default=100_000, metavar="N")
    parser.add_argument("--logs", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=300, help="of each request")
    options = parser.parse_args()
    report = Report(f"Reads of the API, beside {options.cases:,} cases and {options.logs:,} webhook logs")
    with processes.sentences(), site.running() as found:
        large, small, logs = filled(options.cases, options.logs)
        server = web.Web(found)
        with machine.watched() as others:
            measure(report, server, large, of_cases(server, large), f"{options.cases:,} cases", options.rounds)
            measure(report, server, small, of_few(), f"A workspace of {FEW_CASES} cases beside them", options.rounds)
            measure(report, server, logs, of_logs(server, logs), f"{options.logs:,} webhook logs", options.rounds)
    report.notes.append(str(others))
    return report.finish(options.json)


def filled(cases: int, logs: int) -> tuple[Filled, Filled, Filled]:
    from . import api_rows

    made = api_rows.cases("large", cases), api_rows.cases("small", FEW_CASES), api_rows.logs(logs)
    api_rows.settle_down()
    return made


def of_cases(server: web.Web, of: Filled) -> Iterator[Read]:
    """The bar is of cases. Lists of people and checks are beside them: far more of them are counted."""
    yield Read("20 cases", "cases", PAGE)
    yield Read("20 individuals", "individuals")
    yield Read("20 companies", "companies")
    yield Read("20 checks", "checks")
    yield Read("a case with 2 people, a company and 3 checks", f"cases/{of.names['case']}", PAGE)
    yield Read("a case with 20 people and 60 checks", f"cases/{of.names['crowd']}", PAGE)
    yield Read(f"20 cases, page {DEEP:,}", f"cases?page={DEEP}")
    yield Read(f"20 cases, page {DEEP:,} by cursor", f"cases?cursor={cursor(server, of, 'cases', DEEP - 1)}", PAGE)
    yield Read("20 cases, newest first", "cases?sort=created_at.desc")
    yield Read("20 cases that are approved", "cases?status.eq=approved")
    yield Read("the case with an external_id", "cases?external_id.eq=case-777")
    yield Read("20 cases whose name has 777", "cases?name.ilike=777")
    yield Read("20 cases with a tag", "cases?tags.array_contains=Fast track".replace(" ", "%20"))
    yield Read("20 cases by name", "cases?sort=name")


def of_few() -> Iterator[Read]:
    yield from (Read(f"20 {name}", name) for name in ("cases", "individuals", "companies", "checks"))


def of_logs(server: web.Web, of: Filled) -> Iterator[Read]:
    from django.utils import timezone

    yield Read("20 logs", "webhook-logs", LOG_PAGE)
    deep = cursor(server, of, "webhook-logs", DEEP - 1)
    yield Read(f"20 logs, page {DEEP:,} by cursor", f"webhook-logs?cursor={deep}", LOG_PAGE)
    yield Read(f"20 logs, page {DEEP:,}", f"webhook-logs?page={DEEP}")
    yield Read("20 logs, page 40,000 by cursor", f"webhook-logs?cursor={cursor(server, of, 'webhook-logs', 39_999)}")
    yield Read("20 logs of a webhook", f"webhook-logs?webhook_id={of.names['webhook']}")
    yield Read("20 logs that failed", "webhook-logs?state=failed")
    yield Read("20 logs that were answered with 503", "webhook-logs?status_code=503")
    yield Read("20 logs of an event", "webhook-logs?event=Individual.Created")
    day = timezone.now() - timedelta(days=2)
    hour = f"created_at.gte={day:%Y-%m-%dT%H:00:00.000Z}&created_at.lt={day:%Y-%m-%dT%H:59:59.999Z}"
    yield Read("20 logs of an hour two days ago", f"webhook-logs?{hour}")
    both = f"webhook_id={of.names['webhook']}&event=Case.Created&{hour}"
    yield Read("20 logs of a webhook, an event and that hour", f"webhook-logs?{both}")


def cursor(server: web.Web, of: Filled, path: str, page: int) -> str:
    """The one at the end of a page."""
    with server.client(of.key) as client:
        return quote(json.loads(client.get(f"{path}?page={page}"))["pagination"]["next_cursor"])


def measure(report: Report, server: web.Web, of: Filled, reads: Iterator[Read], title: str, rounds: int) -> None:
    """One matrix; the bars are figures, too."""
    matrix = Matrix(f"{title}: milliseconds in the server, at the client, and of CPU", web.COLUMNS)
    for read in reads:
        times = server.measure(of.key, read.path, rounds)
        matrix.rows.append(times.row(read.name))
        median = percentile(times.server, 0.5)
        if read.at_most:
            report.add(f"{read.name}: p50 in the server", median, "ms", at_most=read.at_most)
        say(f"{read.name}: {median:.1f} ms")
    report.matrices.append(matrix)


if __name__ == "__main__":
    sys.exit(main())
