"""Bodies of requests and parameters, for the API's description. A test sends each."""

from __future__ import annotations

from typing import Any

from cases.api.examples import ID
from workspaces.api import moments

Json = dict[str, Any]

RANGE: Json = {
    "since": {**moments.SCHEMA, "description": "Unless given, a day before `until`."},
    "until": {**moments.SCHEMA, "description": "Unless given, now."},
}
WEBHOOK: Json = {
    "name": "Core banking",
    "url": "https://example.com/hooks",
    "events": ["Case.Updated", "Check.*"],
    "headers": {"Authorization": "Bearer 4711"},
    "payload": "thin",
    "max_retries": 18,
}
WEBHOOK_CHANGE: Json = {"events": ["Case.Updated"], "status": "offline"}
TEST: Json = {"event": "Case.Deleted"}
ROTATION: Json = {"grace": 86400}
RECOVERY: Json = {"since": "2026-02-03T00:00:00.000Z", "until": "2026-02-04T00:00:00.000Z", "rate": 50}
RETRY: Json = {"ids": [ID]}
