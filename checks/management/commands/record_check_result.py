"""The hand of any vendor but the screening one, see record_aml_result: tells what came of a check."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from rest_framework.exceptions import ParseError

from checks import services
from checks.models import Check, Result
from workspaces.api import parsers

NONE = "none"


class Command(BaseCommand):
    help = """Records what came of a check: record_check_result ID approved --found '{"decision": "match"}'"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("check_id")
        parser.add_argument("result", choices=[*Result.values, NONE])
        parser.add_argument("--found", default="{}", metavar="JSON", help="By name of the check's data.")

    def handle(self, *, check_id: str, result: str, found: str, **options: Any) -> None:
        try:
            check = Check.objects.get(pk=check_id)
            check = services.record_result(check, None if result == NONE else result, **parse_found(found))
        except Check.DoesNotExist:
            raise CommandError(f"There is no check {check_id}.") from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{check.pk} {check.status}")


def parse_found(text: str) -> dict[str, Any]:
    """Raises CommandError for what is no JSON object."""
    try:
        found = parsers.read(text.encode(errors="surrogateescape"), "It")
    except ParseError as error:
        raise CommandError(f"--found must be a JSON object. {error.detail}") from None
    if not isinstance(found, dict):
        raise CommandError("--found must be a JSON object.")
    return found
