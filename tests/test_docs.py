"""What the documents promise and show must be true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from cases.api import notes
from checks import tasks as checks_tasks
from checks.documents import services as documents
from checks.documents import starting
from checks.documents.local import pdf
from deliveries import notices, services, upkeep
from deliveries.engine import endpoints, lanes, partitions, retention, retry
from dotfile_hooks.dev import recording, supervisor
from workspaces import accelerator

ROOT = Path(__file__).resolve().parents[1]


def named_tests(document: str) -> set[tuple[str, str]]:
    return set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / document).read_text()))


def test_every_test_that_the_readme_names_exists() -> None:
    named = named_tests("README.md")
    assert len(named) > 10
    missing = {f"{path}::{name}" for path, name in named if f"def {name}(" not in (ROOT / path).read_text()}
    assert missing == set()


HOURS = sum(retry.delay(number, 0, None) for number in range(settings.DELIVERY_MAX_RETRIES)) / 3600
MAIL_HOURS = sum(notices.delay(tries) for tries in range(1, notices.MAX_TRIES)) / 3600
WORDS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("docs/receivers.md", f"Any `2xx` within {settings.DELIVERY_TIMEOUT:g} seconds"),
        ("docs/receivers.md", f"({settings.DELIVERY_CONNECT_TIMEOUT:g} to connect)"),
        ("docs/receivers.md", f"after {retry.FIRST_DELAY} s, then twice as long each time"),
        ("docs/receivers.md", f"up to {retry.LONGEST_DELAY / 3600:g} h"),
        ("docs/receivers.md", f"varied by a {({0.2: 'fifth', 0.1: 'tenth', 0.25: 'quarter'})[retry.JITTER]}"),
        ("docs/receivers.md", f"{settings.DELIVERY_MAX_RETRIES} retries by default, about {HOURS:.0f} hours"),
        ("docs/receivers.md", f"the normal delay, up to {retry.LONGEST_RETRY_AFTER / 3600:g} hours"),
        ("docs/receivers.md", f'"remaining_retry_count": {settings.DELIVERY_MAX_RETRIES}'),
        ("docs/receivers.md", f"more than {WORDS[recording.TOLERANCE // 60]} minutes away"),
        ("docs/receivers.md", f"rotated ({settings.SECRET_GRACE / 3600:g} hours by default)"),
        ("docs/operating.md", f"`DELIVERY_LEASE` ({settings.DELIVERY_LEASE:g} s)"),
        ("docs/operating.md", f"the longest timeout, {endpoints.LONGEST * settings.DELIVERY_LEASE:g} s)"),
        ("docs/operating.md", f"{notices.MAX_TRIES} times in about {WORDS[round(MAIL_HOURS)]} hours"),
        ("docs/operating.md", f"Allow it {supervisor.GRACE} s."),
        ("docs/operating.md", f"taken over {WORDS[lanes.PARK_AFTER]} times in a row"),
        ("docs/operating.md", f"up to {services.MOST_AT_ONCE:,} at a time, all or none"),
        ("docs/operating.md", f"rings the sweep every {'second' if settings.SWEEP_INTERVAL == 1 else '?'}"),
        ("docs/operating.md", f"`RETENTION_DAYS` ({settings.RETENTION_DAYS}; at least 7)"),
        ("docs/operating.md", f"`PARTITIONS_AHEAD` ({settings.PARTITIONS_AHEAD}) days in advance"),
        ("docs/operating.md", f"oldest first, {retention.CHUNK:,} a transaction"),
        ("docs/operating.md", f"tries {WORDS[partitions.TRIES]} times"),
        ("docs/operating.md", f"deletes for {WORDS[round(upkeep.SECONDS / 60)]} minutes at most"),
        ("docs/integrators.md", f"kept for {settings.RETENTION_DAYS} days"),
        ("docs/documents.md", f"{documents.MOST_BYTES // 1_000_000} MB at most."),
        ("docs/documents.md", f"tried again {WORDS[checks_tasks.Step.max_retries or 0]} times"),
        ("docs/documents.md", f"lasts longer than {checks_tasks.Step.soft_time_limit} seconds"),
        ("docs/documents.md", f"attended to for {starting.STILL.total_seconds() / 60:g} minutes"),
        ("docs/documents.md", f"was begun {documents.MOST_TRIES} times"),
        ("docs/documents.md", f"for {pdf.SECONDS:g} seconds at most, {pdf.READ_PAGES} pages of text"),
        (
            "docs/documents.md",
            f"{pdf.MOST_OBJECTS:,} objects, {pdf.MOST_BYTES_OF_A_STREAM // 1_000_000} MB of any stream",
        ),
        ("docs/integrators.md", f"{settings.KEYS_PER_WORKSPACE} live keys at most"),
        ("docs/integrators.md", f"live for a while ({settings.KEY_GRACE / 3600:g} hours unless"),
        (
            "docs/integrators.md",
            f"{notes.TEXT_LENGTH:,} characters at most, without HTML tags, and {notes.HTML_LENGTH:,} with",
        ),
        ("docs/operating.md", f"`KEY_GRACE` ({settings.KEY_GRACE:,} s)"),
        ("docs/operating.md", f"waits for it at most once in {accelerator.BREAK:g} s"),
        ("dotfile_hooks/settings.py", f"(default {retry.DEFAULT_RETRIES}, about {HOURS:.0f} hours; at most 20)"),
    ],
)
def test_a_number_in_the_documents_is_that_of_the_code(document: str, sentence: str) -> None:
    text = " ".join((ROOT / document).read_text().split())
    assert sentence in text


def test_the_default_of_the_setting_is_that_of_the_engine() -> None:
    assert settings.DELIVERY_MAX_RETRIES == retry.DEFAULT_RETRIES


def test_the_table_of_the_procfiles_variables_is_complete_and_true() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+):-([^}]+)\}", (ROOT / "Procfile").read_text()))
    told = set(re.findall(r"^\| `([A-Z_]+)` \| (\S+) \|", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE))
    assert told == used
