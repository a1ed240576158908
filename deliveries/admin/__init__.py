"""The admin of deliveries: subscriptions to edit, and the history to look at."""

from __future__ import annotations

from . import deliveries, events, lanes, notices, subscriptions

__all__ = ["deliveries", "events", "lanes", "notices", "subscriptions"]
