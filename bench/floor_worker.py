"""One process of the floor (bench.floor starts it): takes batches, signs, sends and settles until nothing is left.

`python -m bench.floor_worker URL`, with DATABASE_URL in the environment. Says "ready", begins when it is sent a line
(when there will be none it just ends), and ends with its CPU seconds and the moment of its end (on the monotonic clock,
which all processes share).
"""

from __future__ import annotations

import base64
import hmac
import os
import resource
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg2
import pycurl

BATCH, IN_FLIGHT, TIMEOUT = 200, 64, 15_000
KEY = b"k" * 32
# State 1: in hand. A real queue must free it when its process dies; the floor has no such cares.
CLAIM = """
UPDATE floor_delivery d SET state = 1, attempts = d.attempts + 1
FROM (SELECT id FROM floor_delivery WHERE state = 0 ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED) due, floor_event e
WHERE d.id = due.id AND e.id = d.event_id RETURNING d.id, e.id, e.body
"""
SETTLE = """
WITH outcome AS (
    SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::int[], %s::text[])
    AS o(id, delivery_id, status, milliseconds, answer)
), attempt AS (
    INSERT INTO floor_attempt SELECT id, delivery_id, clock_timestamp(), status, milliseconds, answer FROM outcome
)
UPDATE floor_delivery d SET state = 2 FROM outcome o WHERE d.id = o.delivery_id AND o.status BETWEEN 200 AND 299
"""


def main(url: str, database_url: str) -> None:
    multi, free = pycurl.CurlMulti(), [_handle(url) for _ in range(IN_FLIGHT)]
    connection = psycopg2.connect(database_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")  # as couriers do
        print("ready", flush=True)
        if not sys.stdin.readline():  # who started us has gone, or given up
            return
        before = _used()
        while rows := _claim(cursor):
            columns = [list(column) for column in zip(*_send(multi, free, rows), strict=True)]
            cursor.execute(SETTLE, columns)
    print(_used() - before, time.monotonic(), flush=True)


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _handle(url: str) -> pycurl.Curl:
    handle = pycurl.Curl()
    for option, value in ((pycurl.URL, url), (pycurl.POST, 1), (pycurl.NOSIGNAL, 1), (pycurl.TIMEOUT_MS, TIMEOUT)):
        handle.setopt(option, value)
    return handle


def _claim(cursor: Any) -> list[tuple[str, str, str]]:
    cursor.execute(CLAIM, [BATCH])
    rows: list[tuple[str, str, str]] = cursor.fetchall()
    return rows


def _send(
    multi: pycurl.CurlMulti, free: list[pycurl.Curl], rows: list[tuple[str, str, str]]
) -> Iterator[tuple[str, str, int, int, str]]:
    """All of them, IN_FLIGHT at a time; yields the columns of SETTLE."""
    waiting, active = list(reversed(rows)), 0
    while waiting or active:
        while free and waiting:
            handle = free.pop()
            _prepare(handle, *waiting.pop())
            multi.add_handle(handle)
            active += 1
        multi.select(1.0)
        multi.perform()
        _, succeeded, failed = multi.info_read()
        for handle in (*succeeded, *(each[0] for each in failed)):
            multi.remove_handle(handle)
            free.append(handle)
            active -= 1
            yield _outcome(handle)


def _prepare(handle: Any, delivery: str, event: str, text: str) -> None:
    body, timestamp = text.encode(), str(int(time.time()))
    digest = hmac.digest(KEY, f"{event}.{timestamp}.".encode() + body, "sha256")
    handle.delivery, handle.answer = delivery, []
    handle.setopt(pycurl.POSTFIELDS, body)
    handle.setopt(pycurl.WRITEFUNCTION, handle.answer.append)
    headers = [
        "content-type: application/json",
        "expect:",
        f"webhook-id: {event}",
        f"webhook-timestamp: {timestamp}",
        f"webhook-signature: v1,{base64.b64encode(digest).decode()}",
    ]
    handle.setopt(pycurl.HTTPHEADER, headers)


def _outcome(handle: Any) -> tuple[str, str, int, int, str]:
    milliseconds = int(handle.getinfo(pycurl.TOTAL_TIME) * 1000)
    answer = b"".join(handle.answer)[:1024].decode(errors="replace")
    return str(uuid4()), handle.delivery, handle.getinfo(pycurl.RESPONSE_CODE), milliseconds, answer


if __name__ == "__main__":
    main(sys.argv[1], os.environ["DATABASE_URL"])
