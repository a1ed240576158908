"""Refusals that say which field is wrong, and in a word why."""

from __future__ import annotations

from django.core.exceptions import ValidationError


def refused(field: str, sentence: str, code: str) -> ValidationError:
    """To be raised. Django drops the code that is given beside a dict of sentences: it belongs to the error within."""
    return ValidationError({field: ValidationError(sentence, code=code)})
