"""The screening vendor's hand."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from checks.models import Check
from tests import factories

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"


def test_hits_are_recorded() -> None:
    check, out = factories.check(), StringIO()
    call_command("record_aml_result", str(check.pk), "--hit", "Carter: John:pep", "--hit", "J:sanction,pep", stdout=out)
    hits = Check.objects.get(pk=check.pk).data["hits"]
    assert [(hit["name"], hit["list_types"]) for hit in hits] == [
        ("Carter: John", ["pep"]),
        ("J", ["sanction", "pep"]),
    ]
    assert out.getvalue().strip() == f"{check.pk} need_review"


def test_no_hits_are_an_approval() -> None:
    check = factories.check()
    call_command("record_aml_result", str(check.pk), stdout=StringIO())
    assert Check.objects.get(pk=check.pk).status == "approved"


@pytest.mark.parametrize("hit", ["John", ":pep", "John:", "John:king"])
def test_a_hit_that_makes_no_sense_is_a_sentence(hit: str) -> None:
    check = factories.check()
    with pytest.raises(CommandError, match="NAME:LIST"):
        call_command("record_aml_result", str(check.pk), "--hit", hit)
    assert Check.objects.get(pk=check.pk).status == "in_progress"


@pytest.mark.parametrize("key", ["nonsense", UNKNOWN])
def test_an_unknown_check_is_a_sentence(key: str) -> None:
    with pytest.raises(CommandError):
        call_command("record_aml_result", key)
