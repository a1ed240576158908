"""Moves everything that is encrypted to the first of ENCRYPTION_KEYS, so that older keys can be dropped."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import InvalidToken
from django.core.management.base import BaseCommand, CommandError

from deliveries import keys

LOST_KEY = "{} holds a value that none of ENCRYPTION_KEYS opens. Put the key it was written with back, and run again."


class Command(BaseCommand):
    help = "Encrypts webhook secrets and custom headers again with the first of ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        for table in keys.encrypted_tables():
            self._rotate(table)
        self.stdout.write(self.style.SUCCESS("Everything is under the first key; the others may be dropped."))

    def _rotate(self, table: keys.Table) -> None:
        label, total = table[0]._meta.label, table[0]._base_manager.count()
        try:
            for done in keys.reencrypt(table):
                self.stdout.write(f"{label}: {done:,} of {total:,}")
        except InvalidToken:
            raise CommandError(LOST_KEY.format(label)) from None
