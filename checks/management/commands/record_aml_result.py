"""The screening vendor's hand: tells what a search for an AML check found."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from checks import services
from checks.aml import parse_hits
from checks.models import Check


class Command(BaseCommand):
    help = "Records the hits of an AML check, or that there are none: record_aml_result ID --hit 'John Carter:pep'"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("check_id")
        parser.add_argument("--hit", action="append", default=[], metavar="NAME:LIST[,LIST]", dest="hits")

    def handle(self, *, check_id: str, hits: list[str], **options: Any) -> None:
        try:
            check = services.record_aml_result(Check.objects.get(pk=check_id), parse_hits(hits))
        except Check.DoesNotExist:
            raise CommandError(f"There is no check {check_id}.") from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{check.pk} {check.status}")
