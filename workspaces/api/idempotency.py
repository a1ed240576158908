"""Idempotency-Key: a POST that is sent again does nothing again, and is answered as the first time.

The answer is kept in the transaction of what the POST did: a process that dies in between leaves neither. Only success
is kept; after an error nothing was done, and the same key may be used again.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import orjson
from cryptography.fernet import InvalidToken
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from workspaces.kept import Answer, KeptAnswer, hashed
from workspaces.models import Workspace

from .errors import Conflict, NotUnderstood

logger = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
JSON = "application/json"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class StillRunning(Conflict):
    default_detail = f"The first request with this {HEADER} is still being answered. Send this one again in a second."
    wait = 1
    """Seconds, for `Retry-After`."""


class Unreadable(Conflict):
    """Only success is kept: whatever was asked under this key was done, and another time might be once too often."""

    default_detail = (
        f"A request with this {HEADER} was done already, but its answer can no longer be read. Look whether what it "
        "made is there; to do it once more, choose a new key."
    )


class AnotherRequest(APIException):
    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_detail = (
        f"This {HEADER} was used for another request: another address or another body. Choose a new key for each "
        "request, and repeat one only with the request it was made for."
    )
    default_code = "another_request"


def once(
    request: Request, workspace: Workspace, answer: Callable[[], HttpResponseBase], *, calls_outside: bool = False
) -> HttpResponseBase:
    """What `answer` gives; under an Idempotency-Key that was answered before, what it gave then.

    What `calls_outside` runs in no transaction, since none may be held while somebody else's server is waited for: if
    the process dies before the answer is kept, the same request does it again.
    """
    key = _key(request)
    if key is None:
        return answer()
    asked = _fingerprint(request)
    with _session(workspace, key) if calls_outside else _transaction(workspace, key):
        if kept := _find(workspace, key):
            return _again(kept, asked)
        response = answer()
        if isinstance(response, Response) and response.status_code < HTTPStatus.BAD_REQUEST:
            _keep(workspace, key, asked, response)
        return response


def _key(request: Request) -> bytes | None:
    text = request.headers.get(HEADER)
    if text is None:
        return None
    if not _KEY.fullmatch(text):
        raise NotUnderstood(f"{HEADER} must be 1 to 255 visible ASCII characters, such as a UUID.")
    return hashed(text)


def _fingerprint(request: Request) -> str:
    """Of method, address and what the body says: a client may write the same JSON or form in another way."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    for part in _form(request.data) if isinstance(request.data, QueryDict) else [_canonical(request.data)]:
        digest.update(part)
    return digest.hexdigest()


def _canonical(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _form(data: QueryDict) -> Iterator[bytes]:
    for name, values in sorted(data.lists()):
        for value in values:
            yield _canonical([name, _file(value) if isinstance(value, UploadedFile) else value])


def _file(value: UploadedFile[Any]) -> list[str]:
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return [value.name or "", value.content_type or "", digest.hexdigest()]


@contextmanager
def _transaction(workspace: Workspace, key: bytes) -> Iterator[None]:
    """A transaction in which nobody else answers this key. Raises StillRunning."""
    with transaction.atomic():
        _lock("pg_try_advisory_xact_lock", _number(workspace, key))
        yield


@contextmanager
def _session(workspace: Workspace, key: bytes) -> Iterator[None]:
    """The same without a transaction: PostgreSQL ends the lock with the connection at the latest."""
    number = _number(workspace, key)
    _lock("pg_try_advisory_lock", number)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _lock(function: str, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [number])
        if not cursor.fetchone()[0]:
            raise StillRunning


def _number(workspace: Workspace, key: bytes) -> int:
    """64 bits: two keys that share it by chance are only not answered at the same moment."""
    return int.from_bytes(hashlib.sha256(workspace.pk.bytes + key).digest()[:8], signed=True)


def _find(workspace: Workspace, key: bytes) -> Answer | None:
    try:
        kept = KeptAnswer.objects.fresh().filter(workspace=workspace, key=key).first()
    except InvalidToken:
        logger.error("an answer that workspace %s was kept was written with none of ENCRYPTION_KEYS", workspace.pk)
        raise Unreadable from None
    return kept.answer if kept else None


def _again(kept: Answer, asked: str) -> HttpResponse:
    if kept["request"] != asked:
        raise AnotherRequest
    headers = {REPLAYED: "true"}
    return HttpResponse(kept["body"], status=kept["status"], content_type=kept["content_type"], headers=headers)


def _keep(workspace: Workspace, key: bytes, asked: str, response: Response) -> None:
    body = JSONRenderer().render(response.data).decode()
    answer = Answer(request=asked, status=response.status_code, body=body, content_type=JSON)
    with transaction.atomic(savepoint=False):
        KeptAnswer.objects.old().filter(workspace=workspace, key=key).delete()
        KeptAnswer.objects.create(workspace=workspace, key=key, answer=answer)
