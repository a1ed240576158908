"""Each list and each row of the API takes as many queries with one row of everything below it as with twenty."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, resolve
from django.utils import timezone
from rest_framework.test import APIClient

from cases import services
from cases.models import Case, CompanyType
from checks.models import DocumentType
from deliveries.models import Recovery, Subscription
from tests import factories
from tests.deliveries import aged
from workspaces.models import Workspace

from .routes import routes_of

MANY = 20
LISTS = (
    "cases",
    "cases/{case}/notes",
    "individuals",
    "companies",
    "checks",
    "tags",
    "templates",
    "users",
    "document_types",
    "webhooks",
    "webhooks/{webhook}/recoveries",
    "webhook-logs",
)
# What is shown with rows of others; the other addresses of rows show nothing but a row.
WHOLE = (
    "cases/{case}",
    "cases/{case}/tags",
    "individuals/{individual}",
    "companies/{company}",
    "webhook-logs/{log}",
)


@pytest.fixture
def workspace(db: None) -> Workspace:
    return factories.workspace()


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


@pytest.fixture
def ids(workspace: Workspace) -> dict[str, UUID]:
    """A case with one of everything, and a webhook with one log."""
    case = factories.case(workspace)
    webhook = Subscription.objects.create(workspace=workspace, url="https://a.b/", events=["Case.Created"])
    made = {"case": case.pk, "webhook": webhook.pk, "log": log(webhook).pk}
    made |= {"individual": factories.individual(case).pk, "company": factories.company(case).pk}
    grow(made)
    return made


def grow(ids: dict[str, UUID]) -> None:
    """One more of everything that belongs to these rows, and one more row of each list, with what belongs to it."""
    case, webhook = Case.objects.get(pk=ids["case"]), Subscription.objects.get(pk=ids["webhook"])
    add_to(case)
    for party in (case.individuals.get(pk=ids["individual"]), case.companies.get(pk=ids["company"])):
        factories.check(party)
    other = factories.case(case.workspace)
    factories.company(other)
    add_to(other)
    key = f"k{DocumentType.objects.count()}"
    DocumentType.objects.create(workspace=case.workspace, key=key, label=key, target_entities=["individual"])
    log(Subscription.objects.create(workspace=case.workspace, url="https://a.b/", events=["Case.Created"]))
    aged.attempt(webhook.deliveries.get(), timezone.now())
    now = timezone.now()
    Recovery.objects.create(
        workspace=case.workspace, subscription=webhook, since=now, until=now, rate=1, state=Recovery.State.DONE
    )


def add_to(case: Case) -> None:
    """A template, an assignee, a review by another, a tag, a note with comments, a person and a company with checks."""
    of = case.workspace
    case.template = factories.template(of, f"t{of.templates.count()}")
    case.assignee, reviewer, author = (factories.user(of) for _ in range(3))
    case.save()
    case.tags.add(factories.tag(of, f"l{of.tags.count()}"))
    services.review_case(
        case, "rejected" if case.status != "rejected" else "approved", user=reviewer, reviewer_type="user"
    )
    note = services.add_note(case, "a", author=author)
    for writer in (author, reviewer):
        services.add_comment(note, "b", author=writer)
    factories.check(factories.individual(case))
    factories.check(factories.company(case, type=CompanyType.AFFILIATED))


def log(to: Subscription) -> Any:
    """Tried twice."""
    now = timezone.now()
    row = aged.delivery(to, now, last_attempt_at=now, attempts=2, state=1)
    for _ in range(2):
        aged.attempt(row, now)
    return row


def test_what_is_shown_takes_the_same_queries_for_few_rows_and_for_many(
    client: APIClient, ids: dict[str, UUID]
) -> None:
    for path in (*LISTS, *WHOLE):
        asked(client, path, ids)  # what is done once: the key's use is noted, standard document types are made
    few = {path: asked(client, path, ids) for path in (*LISTS, *WHOLE)}
    for _ in range(MANY - 1):
        grow(ids)
    many = {path: asked(client, path, ids) for path in (*LISTS, *WHOLE)}
    assert {path: len(sql) for path, (sql, _) in many.items()} == {path: len(sql) for path, (sql, _) in few.items()}
    rows = {path: len(many[path][1]["data"]) - len(few[path][1]["data"]) for path in LISTS}
    assert min(rows.values()) >= MANY - 1, rows
    sizes = {path: len(str(many[path][1])) / len(str(few[path][1])) for path in WHOLE}
    assert min(sizes.values()) > 3, sizes


def asked(client: APIClient, path: str, ids: dict[str, UUID]) -> tuple[list[str], Any]:
    """The queries that a GET takes, and its answer."""
    query = "?limit=50" if path in LISTS else ""
    with CaptureQueriesContext(connection) as queries:
        response = client.get(f"/v1/{path.format(**ids)}{query}")
    assert response.status_code == 200, response.json()
    return [query["sql"] for query in queries.captured_queries], response.json()


def test_no_list_is_forgotten() -> None:
    tried = {resolve(f"/v1/{re.sub('{.*?}', 'x', path)}").route for path in LISTS}
    assert routes_of("list", get_resolver().url_patterns) - tried == set()
