"""Checks the checker: the same small run for each sabotage and for none; prints which rules each broke, as JSON.

`python -m tests.chaos.selfcheck [SABOTAGE...]`
"""

from __future__ import annotations

import json
import sys

from django.db import connection

from dotfile_hooks.dev import processes

from . import ground

EVENTS, SECONDS = 200, 3.0
# All but the migrations' own; each run begins with nothing.
EMPTY = """
SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') FROM pg_tables
WHERE schemaname = 'public' AND tablename <> 'django_migrations'
"""


def main() -> int:
    processes.end_cleanly()
    broken = {}
    with processes.sentences(), ground.standing() as found:
        from . import run, sabotage  # Django is ready only now

        for way in ("", *(sys.argv[1:] or sabotage.WAYS)):
            options = run.Options(1, EVENTS, 0, SECONDS, ["none"], way, ["worker1"], patience=120.0)
            verdict = run.run(found, options).verdict
            broken[way] = [rule for rule, problems in verdict.problems.items() if problems]
            _empty()
            found.names_answer.clear()
    print(json.dumps(broken))
    return 0


def _empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(EMPTY)
        cursor.execute(cursor.fetchone()[0])


if __name__ == "__main__":
    sys.exit(main())
