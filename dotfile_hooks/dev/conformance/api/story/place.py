"""Where the story happens: a workspace with its people and keys, and what only staff and vendors do there."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from cases import services
from cases.models import Case, Company, Template
from checks import services as checks
from checks.aml import NewHit
from checks.models import Check, CheckType, ListType
from dotfile_hooks.dev.conformance.changes.findings import FOUND
from workspaces.keys import Scope
from workspaces.models import ApiKey, User, Workspace


@dataclass(frozen=True)
class Place:
    """What exists before the first call."""

    workspace: Workspace
    person: User
    template: Template
    key: str = field(repr=False)
    reader: str = field(repr=False)
    """A key that may read only."""
    receiver: str
    """A URL for webhooks."""

    def find_result(self, check_id: str) -> None:
        """As the vendor of a check."""
        check = Check.objects.get(pk=check_id)
        if check.type == CheckType.AML:
            hits = [NewHit("John Carter", [*ListType]), NewHit("J. Carter", [ListType.PEP])]
            checks.record_aml_result(check, hits)
        else:
            checks.record_result(check, None, **FOUND.get(CheckType(check.type), {}))

    def monitor(self, company_id: str) -> UUID:
        """A check that only the vendor starts."""
        company = Company.objects.get(pk=company_id)
        return checks.start_check(company, CheckType.COMPANY_MONITORING).pk

    def wait_in_portal(self, case_id: str) -> None:
        """As a contact: comes to a step of the client portal, and waits there."""
        case = Case.objects.get(pk=case_id)
        services.open_portal(case, "Onboarding", "KYB")
        services.trigger_wait_step(case, "documents")


def made(receiver: str) -> Place:
    """A workspace of its own."""
    workspace = Workspace.objects.create(name="Integration")
    person = User.objects.create_user("grace", "grace@example.com", first_name="Grace", last_name="HOPPER")
    person.workspaces.add(workspace)
    template = Template.objects.create(workspace=workspace, key="kyb", name="KYB")
    _, key = ApiKey.objects.issue(workspace, "Client")
    _, reader = ApiKey.objects.issue(workspace, "Reader", scopes=[Scope.READ])
    return Place(workspace, person, template, key, reader, receiver)
