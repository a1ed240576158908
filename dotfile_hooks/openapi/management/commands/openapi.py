"""Writes what the API says of itself, docs/openapi.json."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dotfile_hooks.openapi import document


class Command(BaseCommand):
    help = f"Writes {document.PATH} from the API's views, serializers and events."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if the document is stale")

    def handle(self, *, check: bool, **options: Any) -> None:
        path, text = Path(settings.BASE_DIR) / document.PATH, document.text()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            self.stdout.write("It is up to date.")
            return
        if check:
            raise CommandError(f"Stale: {document.PATH}. Run manage.py openapi.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.stdout.write(f"Written: {document.PATH}")
