"""A receiver of what is told about documents, as the tests of deliveries have it."""

from __future__ import annotations

from tests.deliveries.conftest import deliver, receiver, subscribe, window, workspace

__all__ = ["deliver", "receiver", "subscribe", "window", "workspace"]
