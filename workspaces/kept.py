"""Answers to POSTs that carried an Idempotency-Key, kept to be given again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypedDict

from django.conf import settings
from django.db import models
from django.utils import timezone

from .encryption import EncryptedJSONField
from .identifiers import lowest_id, new_id

CHUNK = 1000
"""Rows that are removed at a time: some 20 ms."""


class Answer(TypedDict):
    """What is kept, encrypted: an answer may hold a webhook's secret or people's data."""

    request: str
    """The fingerprint of what was asked; beside the answer, since a hash of few words can be guessed."""
    status: int
    body: str
    content_type: str


class KeptAnswerQuerySet(models.QuerySet["KeptAnswer"]):
    def old(self, now: datetime | None = None) -> KeptAnswerQuerySet:
        """Those that are given no more. The time is in the key: no index is needed for it."""
        return self.filter(pk__lt=lowest_id(_end(now)))

    def fresh(self) -> KeptAnswerQuerySet:
        return self.filter(pk__gte=lowest_id(_end()))

    def remove_old(self, now: datetime | None = None) -> Iterator[int]:
        """Removes the old ones, a chunk to a transaction; yields how many went."""
        while keys := list(self.old(now).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
            yield self.filter(pk__in=keys).delete()[0]


class KeptAnswer(models.Model):
    """The answer that a workspace got under an Idempotency-Key. The key itself is somebody's text: only its hash."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey("workspaces.Workspace", models.CASCADE, related_name="+", db_index=False)
    key = models.BinaryField(max_length=32)
    """SHA-256 of the Idempotency-Key."""
    answer = EncryptedJSONField()

    objects = KeptAnswerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "key"], name="kept_answer_once")]

    def __str__(self) -> str:
        return str(self.pk)


def hashed(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _end(now: datetime | None = None) -> datetime:
    return (now or timezone.now()) - timedelta(seconds=settings.IDEMPOTENCY_SECONDS)
