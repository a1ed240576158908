"""What the workspace has before the first request: a row behind every address, several where one may be deleted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from cases import services as cases
from cases.models import AuthorType, Case, CaseStatus, CompanyType, Template
from checks import services as checks
from checks.aml import NewHit
from checks.choices import ABOUT_COMPANIES
from checks.files import services as files
from checks.models import CheckType, ListType, Upload
from deliveries import recovery, services
from dotfile_hooks.dev.conformance.changes.cases import COMPANY, INDIVIDUAL
from dotfile_hooks.dev.conformance.changes.checks import BARE
from dotfile_hooks.dev.conformance.changes.documents import passport
from workspaces.models import ApiKey, User, Workspace

CASES, WEBHOOKS, UPLOADS = 8, 8, 8
"""Enough that some are left when others were deleted."""
PERSONAL = (INDIVIDUAL["last_name"], INDIVIDUAL["email"], INDIVIDUAL["banking_information"]["iban"], "LOVELACE")
"""What must be in no log."""


@dataclass(frozen=True)
class World:
    """Whose rows are called for, and with which key."""

    workspace: Workspace
    key: str
    uploads: list[str] = field(default_factory=list)
    """Files that no check has yet."""


def made(receiver: str, name: str) -> World:
    """A workspace with a key that may do everything. `receiver`: the URL that its webhooks lead to."""
    workspace = Workspace.objects.create(name=name)
    user = User.objects.create_user(name, f"{name}@example.com", first_name="Ada", last_name="LOVELACE")
    user.workspaces.add(workspace)
    template = Template.objects.create(workspace=workspace, key="kyb", name="KYB")
    for number in range(WEBHOOKS):
        hook = {"name": f"Hook {number}", "url": f"{receiver}/{number}", "events": ["*"]}
        row = services.create_subscription(workspace, hook)
        recovery.start_recovery(row, timezone.now() - timedelta(days=1), timezone.now())
    for number in range(CASES):
        fill(_case(workspace, number, assignee=user, template=template))
    _, key = ApiKey.objects.issue(workspace, "fuzzing")
    return World(workspace, key, [str(_upload(workspace).pk) for _ in range(UPLOADS)])


def _case(workspace: Workspace, number: int, **fields: Any) -> Case:
    daughter = {"name": "Daughter Ltd", "type": CompanyType.AFFILIATED}
    fields |= {"name": f"Case {number}", "external_id": f"case-{number}"}
    fields |= {"status": CaseStatus.DRAFT if number % 2 else CaseStatus.OPEN}
    parts: dict[str, Any] = {"individuals": [INDIVIDUAL] * 2, "companies": [COMPANY, daughter]}
    return cases.create_case(workspace, fields, tags=["High risk", f"Tag {number}"], **parts)


def fill(case: Case) -> None:
    """Notes, and a check of each type: those of open cases have a result, so that they can be reviewed."""
    note = cases.add_note(case, "<p>Call them back.</p>", author_type=AuthorType.API)
    cases.add_comment(note, "Done.", author_type=AuthorType.API)
    is_open = case.status == CaseStatus.OPEN
    if not is_open:
        cases.open_portal(case, "Onboarding", "KYB")
        cases.trigger_wait_step(case, "documents")
    person, company = case.individuals.all()[0], case.companies.all()[0]
    for kind in CheckType:
        _start(company if kind in ABOUT_COMPANIES else person, kind, is_open)


def _start(subject: Any, kind: CheckType, has_result: bool) -> None:
    check = checks.start_check(subject, kind, BARE.get(kind))
    if kind == CheckType.ID_DOCUMENT:
        files.add_identity(check, _upload(check.case.workspace))
    if kind == CheckType.AML:
        checks.record_aml_result(check, [NewHit("John Carter", [*ListType]), NewHit("J. C.", [ListType.PEP])])
    elif has_result:
        checks.record_result(check, "error")


def _upload(workspace: Workspace) -> Upload:
    return files.upload(workspace, "passport.pdf", "application/pdf", _passport())


def _passport() -> bytes:
    return passport(timezone.localdate() + timedelta(days=365))


def bodies(world: World) -> list[bytes]:
    """One that is good, or nearly, for each address that takes one."""
    case = world.workspace.cases.order_by("pk")[0]
    person, company = case.individuals.all()[0], case.companies.all()[0]
    found: list[dict[str, Any]] = [
        {"name": "Case", "individuals": [INDIVIDUAL], "companies": [COMPANY], "tags": ["High risk"]},
        {"case_id": str(case.pk), "first_name": "John", "last_name": "CARTER", "content": "Call.", "name": "Test Inc."},
        {"individual_id": str(person.pk), "settings": {}},
        {"company_id": str(company.pk)},
        {"url": "https://example.com/", "events": ["*"]},
        {"status": "approved", "level": "high", "is_relevant": True, "label": "Tag"},
        {"action": "approve", "comment": "All in order.", "is_monitored": True},
        {"tags": ["Tag 0"], "since": "2026-01-01", "grace": 0, "event": "Case.Created"},
        {},
    ]
    return [json.dumps(body).encode() for body in found]
