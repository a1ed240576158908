"""What commands about keys are told: workspaces, keys, moments."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from workspaces.api import moments
from workspaces.models import ApiKey, Workspace


def workspace(pk: str) -> Workspace:
    """Raises CommandError."""
    try:
        return Workspace.objects.get(pk=pk)
    except (Workspace.DoesNotExist, ValidationError):
        raise CommandError(f"There is no workspace {pk}.") from None


def key(identifier: str) -> ApiKey:
    """Raises CommandError, which does not repeat what was given: it may be the whole text of a key."""
    found = ApiKey.objects.select_related("workspace").filter(identifier=identifier).first()
    if found is None:
        raise CommandError("There is no such key. Name it by the last 12 characters, as list_api_keys shows it.")
    return found


def moment(text: str) -> datetime:
    """For argparse."""
    try:
        return moments.parse(text).start
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no moment such as 2030-01-31 or 2030-01-31T13:30:00Z.") from None


@contextmanager
def sentences() -> Iterator[None]:
    """What is refused becomes a CommandError."""
    try:
        yield
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from None
