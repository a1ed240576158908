"""A small client of the project's own API, as an integrator would write it."""

from __future__ import annotations

from typing import Any

import requests

from .processes import StartError

TIMEOUT = 20  # seconds; a development machine may be busy


class Api:
    """Calls under /v1 with a workspace's key. Answers other than 2xx raise StartError with what the API said."""

    def __init__(self, base: str, key: str) -> None:
        self.base = base
        self.session = requests.Session()
        self.session.trust_env = False  # a proxy of the environment would not find loopback
        self.session.headers["X-DOTFILE-API-KEY"] = key

    def call(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        """The answer's JSON; None for an empty one."""
        answer = self.session.request(method, f"{self.base}/v1/{path}", json=body, params=query, timeout=TIMEOUT)
        if not answer.ok:
            raise StartError(f"{method} /v1/{path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json() if answer.content else None

    def get(self, path: str, **query: Any) -> Any:
        return self.call("GET", path, **query)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        return self.call("POST", path, body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self.call("PATCH", path, body)
