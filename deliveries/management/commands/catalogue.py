"""Writes what the catalogue says of every event: docs/events.md and the JSON Schemas."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from deliveries.events import documents


class Command(BaseCommand):
    help = "Writes docs/events.md and docs/schemas/events.json from the catalogue of events."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if a document is stale")

    def handle(self, *, check: bool, **options: Any) -> None:
        stale = {path: text for path, text in documents.files().items() if _read(path) != text}
        if check and stale:
            raise CommandError(f"Stale: {', '.join(stale)}. Run manage.py catalogue.")
        for path, text in stale.items():
            _write(path, text)
            self.stdout.write(f"Written: {path}")
        if not stale:
            self.stdout.write("All is up to date.")


def _read(path: str) -> str | None:
    file = Path(settings.BASE_DIR) / path
    return file.read_text(encoding="utf-8") if file.exists() else None


def _write(path: str, text: str) -> None:
    file = Path(settings.BASE_DIR) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
