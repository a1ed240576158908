"""What events and webhooks add to a POST of the API: SQL statements and Redis commands, word by word, and time.

`python -m bench.posts [--rounds 200] [--json PATH]`: the same POST to a server that records nothing, for a workspace
without webhooks, and for one with a webhook that is told of it. No worker runs.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from dotfile_hooks.dev import processes

from . import machine, results, saves, site, web
from .results import Matrix, Report, percentile, say

BODY = {"name": "Dotfile", "metadata": {"plan": "premium"}}
PRODUCT = "dotfile_hooks.wsgi"
MOST_INSERTS = MOST_COMMANDS = 1
"""More than the same POST without."""
FEW = 5
"""POSTs that are counted: they end before the wake-up is forgotten, doorbell.RUNG."""
FORGET = "SELECT pg_stat_statements_reset()"
# Nobody else is there: the servers run for this only.
SENT = "SELECT query, calls FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%' ORDER BY query"
OUR_KEY = re.compile(r"dotfile-hooks:(wake|throttle:\w+)")
COLUMNS = re.compile(r"(?<=SELECT) (?:DISTINCT ON \(\S+\) )?\"\w+\".*?(?=FROM)|(?<=\() ?\"id\", .*(?=\))", re.DOTALL)
WRITES = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) \w+_\w+")
LINE = 100
"""Characters of a statement that are shown."""


@dataclass(frozen=True)
class Side:
    """Where a POST goes to, and for whom."""

    name: str
    server: web.Web
    key: str


@dataclass
class Seen:
    """What one POST sends; on average, were they not all alike."""

    statements: Counter[str]
    commands: Counter[str]
    ringing: Counter[str]
    """Commands of a POST that finds no wake-up pending, and so publishes one."""

    def more(self, than: Seen) -> tuple[Counter[str], Counter[str]]:
        """Statements and commands that are not in the other, or more often."""
        return self.statements - than.statements, self.commands - than.commands


def main() -> int:
    parser = results.parser(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=200, help="POSTs of each kind that are timed")
    options = parser.parse_args()
    report = Report("What events and webhooks add to a POST of a case")
    with processes.sentences(), site.running(observed=True) as found, machine.watched() as others:
        sides = start(found)
        tell(report, {side.name: seen(found, side) for side in sides})
        time_them(report, sides, options.rounds)
    report.notes.append(str(others))
    return report.finish(options.json)


def start(found: site.Site) -> list[Side]:
    """A server each: who is asked more often answers faster."""
    from workspaces.models import ApiKey

    from . import world

    told, untold = world.workspace("told"), world.workspace("untold")
    world.subscribe(told, found.url("ok"))
    wanted = {
        "nothing recorded": ("bench.quiet_app", untold),
        "no webhook": (PRODUCT, untold),
        "a webhook": (PRODUCT, told),
    }
    return [
        Side(name, web.Web(found, module, WEB_PROCESSES="1"), ApiKey.objects.issue(of, "bench")[1])
        for name, (module, of) in wanted.items()
    ]


def seen(found: site.Site, side: Side) -> Seen:
    from deliveries.engine import doorbell

    with contextlib.closing(found.valkey.client()) as client, side.server.client(side.key) as caller:
        client.delete(doorbell.FLAG)  # the first to ring also connects to the broker
        for _ in range(web.WARM_UP):
            caller.post("cases", BODY)
        client.delete(doorbell.FLAG)
        with saves.commands(client) as ringing:
            caller.post("cases", BODY)
        site.execute(found.database_url, FORGET)
        with saves.commands(client) as heard:
            for _ in range(FEW):
                caller.post("cases", BODY)
        sent = {str(query): int(str(calls)) for query, calls in site.execute(found.database_url, SENT)}
    return Seen(_each(sent), _each(Counter(map(named, heard))), Counter(map(named, ringing)))


def _each(counted: Mapping[str, int]) -> Counter[str]:
    """Of FEW requests, rounded up: what came in some of them only is not overlooked."""
    return Counter({what: -(-number // FEW) for what, number in counted.items()})


def named(command: str) -> str:
    """A Redis command without its values: its first word, and which of our keys it is about."""
    key = OUR_KEY.search(command)
    return " ".join([command.split()[0], *(key.groups() if key else ())])


def short(sql: str) -> str:
    """A statement in a line: without the names of its columns; of a long one, its beginning and what it writes."""
    text = " ".join(COLUMNS.sub(" … ", sql).replace('"', "").split())
    if len(text) <= LINE:
        return text
    return " … ".join([text[:LINE], *WRITES.findall(text[LINE:])])


def tell(report: Report, found: dict[str, Seen]) -> None:
    quiet, untold, told = found.values()
    for than, name in ((untold, "than without a webhook"), (quiet, "than were nothing recorded")):
        statements, commands = told.more(than)
        inserts = sum(number for sql, number in statements.items() if "INSERT INTO" in sql)
        report.add(f"statements more {name}", statements.total(), at_most=MOST_INSERTS)
        report.add(f"of them, other than INSERTs, more {name}", statements.total() - inserts, at_most=0)
        report.add(f"Redis commands more {name}", commands.total(), at_most=MOST_COMMANDS)
    report.add("Redis commands more when a wake-up is published", (told.ringing - told.commands).total())
    sent = {name: each.statements for name, each in found.items()}
    asked = {name: each.commands for name, each in found.items()}
    report.matrices += [side_by_side("SQL statements of one POST", sent), side_by_side("Its Redis commands", asked)]


def side_by_side(title: str, found: Mapping[str, Counter[str]]) -> Matrix:
    """What differs comes last."""
    matrix = Matrix(title, ["", *found])
    sent = {what for each in found.values() for what in each}
    numbers = {what: [each[what] for each in found.values()] for what in sorted(sent)}
    for what in sorted(numbers, key=lambda what: len(set(numbers[what]))):
        matrix.rows.append([short(what), *map(float, numbers[what])])
    return matrix


def time_them(report: Report, sides: list[Side], rounds: int) -> None:
    """In turn, so that whatever else the machine does hits all of them alike."""
    marks: dict[str, list[str]] = {side.name: [] for side in sides}
    with contextlib.ExitStack() as stack:
        callers = {side.name: stack.enter_context(side.server.client(side.key)) for side in sides}
        for _ in range(rounds):
            for name, caller in callers.items():
                caller.post("cases", BODY)
                marks[name].append(caller.mark)
    medians: dict[str, float] = {}
    for side in sides:
        times = side.server.logged(marks[side.name])
        medians[side.name] = percentile(times, 0.5)
        for share in (0.5, 0.95):
            report.add(f"{side.name}: p{share * 100:g} in the server", percentile(times, share), "ms")
    base = medians[sides[0].name]
    say(", ".join(f"{name} {value:.2f} ms ({value / base:.2f})" for name, value in medians.items()))


if __name__ == "__main__":
    sys.exit(main())
