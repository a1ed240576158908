"""Rows for tests: plain functions with sensible defaults, everything else by keyword."""

from __future__ import annotations

import secrets
from typing import Any

from rest_framework.test import APIClient

from cases.models import Case, Company, Individual, Tag, Template
from checks.aml import NewHit
from checks.models import Check, CheckType, ListType
from checks.services import record_aml_result, start_check
from tests.described import DescribedClient
from workspaces.models import ApiKey, User, Workspace


def workspace(name: str = "Demo", **fields: Any) -> Workspace:
    return Workspace.objects.create(name=name, **fields)


def user(*workspaces: Workspace, **fields: Any) -> User:
    """A person; a member of the workspaces given."""
    name = f"user-{secrets.token_hex(4)}"
    person = User.objects.create_user(**{"username": name, "email": f"{name}@example.com", **fields})
    person.workspaces.set(workspaces)
    return person


def api_client(of: Workspace) -> APIClient:
    """A client that sends a key of this workspace with every request."""
    client = DescribedClient()
    client.credentials(HTTP_X_DOTFILE_API_KEY=ApiKey.objects.issue(of, "tests")[1])
    return client


def tag(of: Workspace, label: str) -> Tag:
    return Tag.objects.create(workspace=of, label=label)


def template(of: Workspace, key: str = "standard", **fields: Any) -> Template:
    return Template.objects.create(**{"workspace": of, "key": key, "name": key.title(), **fields})


def case(of: Workspace | None = None, **fields: Any) -> Case:
    return Case.objects.create(**{"workspace": of or workspace(), "name": "Dotfile", **fields})


def individual(of: Case | None = None, **fields: Any) -> Individual:
    return Individual.objects.create(**{"case": of or case(), "first_name": "John", "last_name": "CARTER", **fields})


def company(of: Case | None = None, **fields: Any) -> Company:
    return Company.objects.create(**{"case": of or case(), "name": "Test Inc.", **fields})


def check(of: Individual | Company | None = None, kind: str = CheckType.AML, **fields: Any) -> Check:
    """A check that was just started; `fields` are then set on it, unless none."""
    started = start_check(of or individual(), kind, settings_of(of, kind))
    for name, value in fields.items():
        setattr(started, name, value)
    started.save()
    return started


def aml_check_with_hits(of: Individual | Company | None = None, *names: str) -> Check:
    hits = [NewHit(name, [ListType.PEP]) for name in names or ("John Carter",)]
    return record_aml_result(check(of), hits)


def settings_of(of: Individual | Company | None, kind: str) -> dict[str, str] | None:
    if isinstance(of, Company) and kind == CheckType.DOCUMENT:
        return {"document_type_key": "registration_certificate"}
    return SETTINGS.get(kind)


# What some types of checks cannot be started without.
SETTINGS: dict[str, dict[str, str]] = {
    CheckType.DOCUMENT: {"document_type_key": "passport"},
    CheckType.ELECTRONIC_SIGNATURE: {"document_template_key": "mandate"},
}
