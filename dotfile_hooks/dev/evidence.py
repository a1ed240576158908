"""Gathers what the demo is judged by: the receiver's record, and what the API's webhook logs tell."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from .api import Api
from .judge import Evidence, Key, Log
from .recording import Post
from .story import Webhook

PAGE = 50  # webhook logs on a page: the API's largest


def read_record(file: Path) -> list[Post]:
    """The POSTs so far; a line that is just being written is left for the next time."""
    lines = file.read_text().splitlines(keepends=True) if file.exists() else []
    return [Post.from_line(line) for line in lines if line.endswith("\n")]


class Gatherer:
    """Looks again and again: the time a retry is due is shown only until the retry is made."""

    def __init__(self, api: Api, webhooks: Mapping[str, Webhook], record: Path) -> None:
        self.api, self.webhooks, self.record = api, webhooks, record
        self.due: dict[tuple[Key, int], float] = {}
        self.logs: dict[Key, Log] = {}
        self._paths = {webhook.id: path for path, webhook in webhooks.items()}

    def look(self) -> Evidence:
        for item in self.api.get("webhook-logs", limit=PAGE)["data"]:
            self._note(item)
        return Evidence(read_record(self.record), self.webhooks, dict(self.logs), dict(self.due))

    def _note(self, item: Mapping[str, Any]) -> None:
        path = self._paths.get(item["webhook_id"])
        event_id = ((item.get("payload") or {}).get("context") or {}).get("event_id")
        if path is None or event_id is None:
            return
        attempts = list(reversed(item["attempts"]))  # the API shows the latest first
        workers = [str(attempt.get("worker") or "?") for attempt in attempts]
        self.logs[path, event_id] = Log(_unix(item["created_at"]), workers)
        if item["next_retry_at"] and attempts:
            self.due[(path, event_id), len(attempts)] = _unix(item["next_retry_at"])


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
