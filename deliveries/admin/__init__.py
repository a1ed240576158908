"""The admin of deliveries: subscriptions to edit, and the history to look at."""

from __future__ import annotations

from . import dead_letters, deliveries, events, expiries, lanes, notices, recoveries, subscriptions

__all__ = ["dead_letters", "deliveries", "events", "expiries", "lanes", "notices", "recoveries", "subscriptions"]
