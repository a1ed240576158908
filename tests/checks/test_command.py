"""The vendors' hands."""

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


def test_what_any_vendor_found_is_recorded() -> None:
    check, out = factories.check(kind="ekyc"), StringIO()
    call_command("record_check_result", str(check.pk), "approved", "--found", '{"decision": "match"}', stdout=out)
    stored = Check.objects.get()
    assert (stored.data["result"], stored.data["decision"]) == ("approved", "match")
    assert out.getvalue().strip() == f"{check.pk} need_review"


def test_there_may_be_no_result() -> None:
    check = factories.check(kind="ekyc")
    call_command("record_check_result", str(check.pk), "none", stdout=StringIO())
    assert (Check.objects.get().status, Check.objects.get().data["result"]) == ("need_review", None)


@pytest.mark.parametrize(
    ("key", "found", "sentence"),
    [
        (None, "[]", "must be a JSON object"),
        (None, "{", "must be a JSON object"),
        (None, '{"colour": 1}', "says nothing about colour"),
        (None, '{"vendor": {"score": NaN}}', "not valid JSON"),
        (None, '{"vendor": {"profile_name": "\\u0000"}}', "NUL"),
        (None, '{"decision": "\udcff"}', "not valid JSON"),
        (UNKNOWN, "{}", "There is no check"),
        ("nonsense", "{}", "nonsense"),
    ],
)
def test_a_result_that_cannot_be_recorded_is_a_sentence(key: str | None, found: str, sentence: str) -> None:
    check = factories.check(kind="ekyc")
    with pytest.raises(CommandError, match=sentence):
        call_command("record_check_result", key or str(check.pk), "approved", "--found", found)
    assert Check.objects.get().status == "in_progress"
