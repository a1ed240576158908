"""What is written of the catalogue for others: up to date, complete, and true to what is sent."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from deliveries.engine import signing
from deliveries.events import documents
from deliveries.events.catalogue import EVENTS, FAMILIES, NAMES
from deliveries.events.documents import openapi as described
from dotfile_hooks import settings as project

FILES = ("docs/events.md", "docs/schemas/events.json")


def catalogue(*arguments: str) -> str:
    out = StringIO()
    call_command("catalogue", *arguments, stdout=out)
    return out.getvalue()


def test_the_documents_say_what_the_catalogue_says() -> None:
    """If this fails, run `manage.py catalogue`."""
    assert tuple(documents.files()) == FILES
    assert catalogue("--check") == "All is up to date.\n"


@pytest.fixture
def elsewhere(settings: Any, tmp_path: Path) -> Path:
    settings.BASE_DIR = tmp_path
    return tmp_path


@pytest.mark.parametrize("path", FILES)
def test_a_document_that_is_stale_is_named_and_written_anew(elsewhere: Path, path: str) -> None:
    catalogue()
    (elsewhere / path).write_text("old")
    with pytest.raises(CommandError, match=re.escape(f"Stale: {path}. Run manage.py catalogue.")):
        catalogue("--check")
    assert (elsewhere / path).read_text() == "old"
    assert catalogue() == f"Written: {path}\n"
    assert (elsewhere / path).read_text() == (Path(project.BASE_DIR) / path).read_text()


def test_the_list_has_every_name_once_and_is_ready_for_json() -> None:
    listing = documents.listing()
    assert sorted(entry["name"] for entry in listing) == sorted(NAMES)
    assert json.loads(json.dumps(listing)) == listing


def test_the_list_tells_main_sub_and_early_events_apart() -> None:
    entries = {entry["name"]: entry for entry in documents.listing()}
    assert entries["Case.StatusUpdated"]["main_event"] == "Case.Updated"
    assert "Case.StatusUpdated" in entries["Case.Updated"]["stands_for"]
    assert entries["Check.Completed"]["stands_for"] == ["Check.Approved", "Check.Rejected"]
    assert entries["Case.Created"]["stands_for"] == []
    assert entries["Check.Started"]["context"] == ["workspace", "case", "individual", "company"]


def test_the_page_names_every_event_and_when_it_arises() -> None:
    page = documents.files()["docs/events.md"]
    rows = dict(re.findall(r"^\| (?:↳ )?`([\w.]+)` \| (.+) \|$", page, re.MULTILINE))
    arising = {name for name in NAMES if name not in EVENTS or EVENTS[name].family.arises}
    assert rows.keys() == arising
    assert rows["Case.ReviewDue"] == EVENTS["Case.ReviewDue"].when
    _, _, never = page.partition("## Names that never arise here")
    assert set(re.findall(r"`([A-Z][\w.]+)`", never)) == NAMES - arising


@pytest.fixture(scope="module")
def openapi() -> Any:
    return described.document(documents.listing())


def test_openapi_has_a_webhook_for_every_name_that_arises(openapi: Any) -> None:
    never = {name for name, event in EVENTS.items() if not event.family.arises}
    assert openapi["openapi"] == "3.1.0"
    assert openapi["webhooks"].keys() == NAMES - never
    assert {tag["name"] for tag in openapi["tags"]} == {
        f"Events: {family.name}" for family in FAMILIES if family.arises
    }


def references(value: Any) -> set[str]:
    """All that is referred to, anywhere in it."""
    return set(re.findall(r'"(#/[^"]+)"', json.dumps(value)))


@pytest.mark.parametrize("path", FILES[1:])
def test_whatever_a_document_refers_to_is_there_and_nothing_else(path: str) -> None:
    document = json.loads(documents.files()[path])
    assert {reference.rpartition("/")[2] for reference in references(document)} == document["$defs"].keys()


def test_openapi_describes_the_headers_that_are_sent(openapi: Any) -> None:
    sent = signing.sign("id", 1, b"{}", ["a secret of some length", "an older one"])
    described = openapi["components"]["parameters"]
    assert described.keys() == sent.keys()
    required = {name for name, header in described.items() if header["required"]}
    assert required == signing.sign("id", 1, b"{}", ["a secret of some length"]).keys()


def test_openapi_shows_a_check_of_each_type(openapi: Any) -> None:
    content = openapi["webhooks"]["Check.Approved"]["post"]["requestBody"]["content"]["application/json"]
    assert len(content["examples"]) == 9
    assert {kind for kind, shown in content["examples"].items() if shown["value"]["check"]["type"] != kind} == set()


def test_the_documents_name_no_host_but_those_reserved_for_examples() -> None:
    hosts = {host for text in documents.files().values() for host in re.findall(r"https?://([\w.-]+)", text)}
    assert {host for host in hosts if not host.endswith("example.com")} == {"json-schema.org"}
