from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register


class DeliveriesConfig(AppConfig):
    name = "deliveries"

    def ready(self) -> None:
        from . import keys, notices
        from .engine import health, recovering
        from .events import signals

        signals.connect()
        health.connect()
        notices.connect()
        recovering.connect()
        register(keys.keys_fit, Tags.database)
