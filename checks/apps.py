"""Checks: what is verified about the individuals and companies of a case."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import register


class ChecksConfig(AppConfig):
    name = "checks"

    def ready(self) -> None:
        from cases.projection import use_checks

        from . import flags
        from .documents import verdict
        from .documents.services import analyser_exists
        from .projection import load_summaries

        use_checks(load_summaries)
        register(analyser_exists)
        flags.connect()
        verdict.connect()
