"""A client that holds each of its requests, and each answer, against the document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import requests

from dotfile_hooks.dev.conformance.contract import Contract, Problem
from dotfile_hooks.dev.conformance.operations import PLACE, same_place
from workspaces.api.authentication import HEADER

from . import coverage, known, questions, served
from .record import Row

TIMEOUT = 60  # seconds; a development machine may be very busy
GENERAL = {401, 403, 404, 405, 409, 413, 415, 422, 429}
"""Errors that any operation may answer with, described or not."""
ERROR = {"status_code": int, "timestamp": str, "code": str, "message": str}
LONGEST = 300  # characters of an answer in a message


class Stuck(Exception):
    """The story cannot go on: an answer was not what it needs, or did not come."""


class Client:
    """Calls as a workspace's key; what came of them is in `rows`, by operation."""

    def __init__(self, base: str, key: str, contract: Contract) -> None:
        self.base, self.contract = base, contract
        self.rows = {same_place(one.name): Row(one, served.is_served(one)) for one in contract.operations.values()}
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment would not find loopback
        self._session.headers[HEADER] = key

    def close(self) -> None:
        self._session.close()

    def get(self, path: str, *ids: Any, **query: str) -> Any:
        """The answer. The first time, everything that may be asked beside it is asked, too. Raises Stuck."""
        row = self.rows.get(same_place(f"GET {path}"))
        is_first = row is not None and not row.was_answered
        found = self._taken("get", path, ids, query=query)
        if row is not None and is_first:
            for question in questions.of(row.operation):
                self._asked(row, path, ids, question)
        return found

    def post(self, path: str, *ids: Any, body: Any = None, file: tuple[str, bytes, str] | None = None) -> Any:
        """Raises Stuck."""
        return self._taken("post", path, ids, body=body, file=file)

    def patch(self, path: str, *ids: Any, body: Any) -> Any:
        """Raises Stuck."""
        return self._taken("patch", path, ids, body=body)

    def delete(self, path: str, *ids: Any, body: Any = None) -> Any:
        """Raises Stuck."""
        return self._taken("delete", path, ids, body=body)

    def refused(self, status: int, method: str, path: str, *ids: Any, key: str | None = None, **more: Any) -> None:
        """A request that is wrong on purpose: it must be answered with this status, and an error of the one shape."""
        headers = None if key is None else {HEADER: key}
        answer = self._send(method, path, ids, headers=headers, **more)
        row = self.rows.get(same_place(f"{method.upper()} {path}"))
        if row is None:
            return
        row.statuses[answer.status_code] += 1
        if answer.status_code != status:
            row.problems[f"{_shown(answer)}, and not {status}"] += 1
        elif status not in GENERAL and row.operation.answer(status) is None:
            row.problems[f"answers {status}, which is not described"] += 1
        row.problems.update(f"the error's {problem}" for problem in _error_problems(answer))

    def looks_filled(self, path: str) -> bool:
        """Whether a list has rows by now, past all judgement."""
        answer = self._send("get", path, ())
        return answer.ok and bool(orjson.loads(answer.content)["data"])

    def words(self, operation: str, field: str) -> list[str]:
        """Those that the document lets a client send in this field of a body; none: it does not describe it."""
        row = self.rows.get(same_place(operation))
        possible = coverage.possible(self.contract.root, row.operation.body) if row else ()
        return [name.removeprefix(f"{field}=") for name in possible if name.startswith(f"{field}=")]

    def _taken(self, method: str, path: str, ids: tuple[Any, ...], **sent: Any) -> Any:
        answer = self._send(method, path, ids, **sent)
        row = self.rows.get(same_place(f"{method.upper()} {path}"))
        if row is not None:
            row.statuses[answer.status_code] += 1
            self._judge(row, answer, sent.get("body"))
        if not answer.ok:
            raise Stuck(f"{method.upper()} {path} {_shown(answer)}")
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return orjson.loads(answer.content) if is_json else answer.content

    def _judge(self, row: Row, answer: requests.Response, body: Any) -> None:
        if body is not None:
            sent = self.contract.body_problems(row.operation, orjson.dumps(body))
            self._note(row, sent, "what the story sends is not valid: ")
        if not answer.ok:
            row.problems[_shown(answer)] += 1
            return
        row.taken = body
        row.said.update(coverage.said(body))
        if "204" in row.operation.answers and answer.content:
            row.problems["answers with a body where none is described"] += 1
        self._note(row, self.contract.answer_problems(row.operation, answer.status_code, answer.content))

    def _note(self, row: Row, problems: list[Problem], before: str = "") -> None:
        for problem in problems:
            why = known.contradiction(same_place(row.operation.name), problem.path)
            if why:
                row.notes[f"{row.operation.name}: {problem} ({why})"] += 1
            elif problem.is_documents:
                row.notes[str(problem)] += 1
            else:
                row.problems[f"{before}{problem}"] += 1

    def _asked(self, row: Row, path: str, ids: tuple[Any, ...], question: questions.Query) -> None:
        answer = self._send("get", path, ids, query=question)
        row.statuses[answer.status_code] += 1
        told = "&".join(f"{name}={value}" for name, value in question.items())
        if answer.status_code != requests.codes.ok:
            row.problems[f"?{told} {_shown(answer)}"] += 1
        else:
            self._note(row, self.contract.answer_problems(row.operation, 200, answer.content), f"?{told} ")

    def _send(
        self,
        method: str,
        path: str,
        ids: tuple[Any, ...],
        *,
        body: Any = None,
        query: questions.Query | None = None,
        file: tuple[str, bytes, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        places = iter(ids)
        url = self.base + PLACE.sub(lambda _: str(next(places)), path)
        files = None if file is None else {"file": file}
        try:
            return self._session.request(
                method, url, json=body, params=query, files=files, headers=headers, timeout=TIMEOUT
            )
        except requests.RequestException as error:
            raise Stuck(f"{method.upper()} {path} was not answered: {type(error).__name__}") from error


def _shown(answer: requests.Response) -> str:
    return f"answers {answer.status_code}: {answer.text[:LONGEST]}"


def _error_problems(answer: requests.Response) -> Iterator[str]:
    """What is wrong with the body of an error: it says its status, when, a code and a sentence."""
    try:
        told = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        yield "body is not an object"
        return
    for name, kind in ERROR.items():
        if not isinstance(told.get(name), kind):
            yield f"{name} is not there, or no {kind.__name__}"
    if told.get("status_code") != answer.status_code:
        yield "status_code is not its status"
