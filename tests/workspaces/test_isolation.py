"""Nobody sees another workspace's rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver, resolve
from django.utils import timezone
from rest_framework.test import APIClient

from cases import services
from cases.models import Case, Company, Individual, Note, NoteComment, Tag
from checks.files import services as files
from checks.models import ABOUT_COMPANIES, Check, CheckFile, CheckType, Document, Upload
from deliveries import recovery
from deliveries.engine import fanout
from deliveries.models import Delivery, Lane, Recovery, Subscription
from deliveries.tasks import DOMAIN
from tests import factories

pytestmark = pytest.mark.django_db

EVERYTHING = (Check, Case, Individual, Company, Note, NoteComment, Tag, Subscription, Lane, Delivery, Recovery)
HITS = {"action": "ignore", "hit_ids": ["a"]}


@pytest.fixture
def check() -> Check:
    theirs = factories.workspace("Theirs")
    template, assignee = factories.template(theirs), factories.user(theirs)
    case = factories.case(theirs, external_id="e-1", template=template, assignee=assignee)
    case.tags.add(factories.tag(theirs, "Theirs"))
    services.add_note(case, "Theirs")
    factories.company(case)
    return factories.aml_check_with_hits(factories.individual(case))


@pytest.fixture
def stranger() -> APIClient:
    return factories.api_client(factories.workspace("Strangers"))


# Of types of checks in addresses; AML checks have rows of their own.
NAMES = {kind: kind for kind in CheckType.values if kind != CheckType.AML} | {
    "company_monitoring": "company-monitoring",
    "fraud_database": "fraud-database",
}
ROWS: list[tuple[str, str, Any]] = [
    ("get", "cases/{case}", None),
    ("get", "cases/e-1", None),
    ("patch", "cases/{case}", {"name": "Mine"}),
    ("delete", "cases/{case}", None),
    ("delete", "cases/e-1", None),
    ("post", "cases/{case}/reviews", {"status": "approved"}),
    ("post", "cases/{case}/risks", {"level": "high"}),
    ("get", "cases/{case}/tags", None),
    ("post", "cases/{case}/tags", {"tags": ["Theirs"]}),
    ("delete", "cases/{case}/tags", {"tags": ["Theirs"]}),
    ("get", "cases/{case}/notes", None),
    ("get", "cases/e-1/notes", None),
    ("post", "cases/{case}/complete-client-portal-wait-step", {}),
    ("post", "notes", {"case_id": "{case}", "content": "Mine"}),
    ("post", "notes/{note}/comments", {"content": "Mine"}),
    ("get", "tags/{tag}", None),
    ("patch", "tags/{tag}", {"label": "Mine"}),
    ("delete", "tags/{tag}", None),
    ("get", "templates/{template}", None),
    ("get", "users/{user}", None),
    ("post", "individuals", {"first_name": "A", "last_name": "B", "case_id": "{case}"}),
    ("get", "individuals/{individual}", None),
    ("patch", "individuals/{individual}", {"first_name": "Mine"}),
    ("delete", "individuals/{individual}", None),
    ("post", "individuals/{individual}/set-relevant", {"is_relevant": False}),
    ("post", "companies", {"name": "A", "case_id": "{case}"}),
    ("get", "companies/{company}", None),
    ("patch", "companies/{company}", {"name": "Mine"}),
    ("delete", "companies/{company}", None),
    ("post", "companies/{company}/set-relevant", {"is_relevant": True}),
    ("get", "checks/aml/{check}", None),
    ("patch", "checks/aml/{check}/review", {"action": "reject"}),
    ("patch", "checks/aml/{check}/hits/review", HITS),
    ("patch", "checks/aml/{check}/monitoring", {"is_monitored": True}),
    ("delete", "checks/{check}", None),
    *(("get", f"checks/{name}/{{{kind}}}", None) for kind, name in NAMES.items()),
    *(
        ("patch", f"checks/{name}/{{{kind}}}/review", {"action": "reject"})
        for kind, name in NAMES.items()
        if kind != CheckType.COMPANY_MONITORING
    ),
    ("post", "checks/document/{document}/add_files", {"files": []}),
    ("post", "checks/document/{document}/force_review", None),
    ("post", "checks/id_document/{id_document}/add_files", {"front_upload_ref": "x"}),
    ("get", "files/{document_file}", None),
    ("get", "files/{identity_file}", None),
    ("get", "files/{upload}", None),
    ("get", "webhooks/{webhook}", None),
    ("patch", "webhooks/{webhook}", {"name": "Mine"}),
    ("delete", "webhooks/{webhook}", None),
    ("post", "webhooks/{webhook}/recover", {"since": "2026-01-01"}),
    ("get", "webhooks/{webhook}/recoveries", None),
    ("get", "webhooks/{webhook}/recoveries/{recovery}", None),
    ("post", "webhooks/{webhook}/recoveries/{recovery}/cancel", None),
    ("post", "webhooks/{webhook}/test", {}),
    ("post", "webhooks/{webhook}/rotate-secret", {}),
    ("get", "webhooks/{webhook}/stats", None),
    ("get", "webhook-logs/{log}", None),
    ("post", "webhook-logs/{log}/retry", None),
]
FILED = ("files/", *(f"checks/{name}/" for name in NAMES.values()))


@pytest.mark.parametrize(("method", "path", "body"), ROWS)
def test_another_workspaces_row_does_not_exist(
    check: Check, stranger: APIClient, method: str, path: str, body: Any
) -> None:
    address = f"/v1/{filled(path, check)}"
    before = everything()
    response = getattr(stranger, method)(address, body and sent(body, check))
    assert (response.status_code, response.json()["code"]) == (404, "NOT_FOUND")
    assert everything() == before


def everything() -> list[str]:
    told = [str(model._base_manager.values()) for model in EVERYTHING]
    return told + [str(model._base_manager.values("pk")) for model in (Document, CheckFile, Upload)]


def sent(body: dict[str, Any], check: Check) -> dict[str, Any]:
    return {name: filled(value, check) if isinstance(value, str) else value for name, value in body.items()}


def filled(path: str, check: Check) -> str:
    case = check.case
    ids = {"case": case.pk, "individual": check.individual_id, "company": case.companies.get().pk}
    ids |= {"note": case.notes.get().pk, "tag": case.tags.get().pk, "template": case.template_id}
    ids |= {"user": case.assignee_id}
    webhooks = sent_for(check) if "webhook" in path else {}
    return path.format(**ids, check=check.pk, **webhooks, **(with_files(check) if path.startswith(FILED) else {}))


def with_files(check: Check) -> dict[str, Any]:
    """A check of each type beside this one, in need of a review, and their files."""
    company, upload = check.case.companies.get(), files.upload(check.case.workspace, "a.pdf", "", b"%PDF-")
    made = {
        kind: factories.check(company if kind in ABOUT_COMPANIES else check.individual, kind, status="need_review")
        for kind in NAMES
    }
    files.add_documents(made["document"], [upload])
    files.add_identity(made["id_document"], upload)
    kept = {"document_file": Document.objects.get(), "identity_file": CheckFile.objects.get(), "upload": upload}
    return {name: row.pk for name, row in {**made, **kept}.items()}


def sent_for(check: Check) -> dict[str, Any]:
    """A webhook of the check's workspace, with a log that failed and a recovery that runs."""
    webhook = Subscription.objects.create(workspace=check.case.workspace, url="https://a.b/", events=["Case.Created"])
    Case.objects.create(workspace=webhook.workspace, name="Theirs")
    fanout.fan_out(DOMAIN)
    Delivery.objects.update(state=Delivery.State.FAILED)
    job = recovery.start_recovery(webhook, timezone.now() - timedelta(hours=1))
    return {"webhook": webhook.pk, "log": Delivery.objects.get().pk, "recovery": job.pk}


def test_no_address_of_a_row_is_forgotten() -> None:
    tried = {(method, resolve(f"/v1/{re.sub('{.*?}', 'x', path)}").route) for method, path, _ in ROWS}
    assert addresses(get_resolver().url_patterns) - tried == set()


def addresses(patterns: Iterable[Any], prefix: str = "") -> set[tuple[str, str]]:
    """Of the API's rows: each method, and the route."""
    found: set[tuple[str, str]] = set()
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= addresses(pattern.url_patterns, route) if route == "v1/" else set()
        elif "<" in route:
            found |= {(method, route) for method in getattr(pattern.callback, "actions", ()) if method != "head"}
    return found


@pytest.mark.parametrize("path", ["cases", "individuals", "companies", "checks", "tags", "templates", "users"])
def test_a_list_is_of_the_callers_rows_only(check: Check, stranger: APIClient, path: str) -> None:
    assert stranger.get(f"/v1/{path}").json()["pagination"]["count"] == 0
    assert factories.api_client(check.case.workspace).get(f"/v1/{path}").json()["pagination"]["count"] == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("checks/aml", {"individual_id": "{individual}"}),
        ("checks/aml", {"company_id": "{company}"}),
        ("checks/document", {"individual_id": "{individual}", "settings": {"document_type_key": "passport"}}),
        *((f"checks/{name}", {"individual_id": "{individual}"}) for name in ("ekyc", "id_document", "id_verification")),
        *((f"checks/{name}", {"company_id": "{company}"}) for name in ("fraud-database", "online_reputation")),
    ],
)
def test_nothing_is_added_to_another_workspaces_rows(
    check: Check, stranger: APIClient, path: str, body: dict[str, Any]
) -> None:
    asked = sent(body, check)
    assert stranger.post(f"/v1/{path}", asked).status_code == 400
    assert factories.api_client(check.case.workspace).post(f"/v1/{path}", asked).status_code == 201


@pytest.mark.parametrize("method", ["get", "post", "patch", "delete"])
@pytest.mark.parametrize(
    "path",
    [
        "cases",
        "cases/x",
        "individuals/x",
        "companies/x",
        "checks",
        "checks/aml/x",
        "files/x",
        "ping",
        "webhooks/x/recover",
    ],
)
def test_without_a_key_everything_is_401(method: str, path: str) -> None:
    assert getattr(APIClient(), method)(f"/v1/{path}").status_code == 401


def test_tags_and_templates_are_the_workspaces_own(check: Check, stranger: APIClient) -> None:
    theirs = check.case.workspace
    tag, template = factories.tag(theirs, "Secret"), factories.template(theirs, "secret")
    for field, value in (("tags", [str(tag.pk)]), ("template_key", "secret"), ("template_id", str(template.pk))):
        assert stranger.post("/v1/cases", {"name": "a", field: value}).status_code == 400
