"""Every body that the API's description shows as an example is taken, and every parameter that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from cases.models import Case, CaseStatus, Company, CompanyType, Individual
from cases.services import add_note
from checks.models import ABOUT_COMPANIES, Check, CheckStatus, CheckType
from deliveries.models import Delivery, Subscription
from tests import described, factories
from tests.checks import uploads
from tests.deliveries.conftest import Deliver, Subscribe
from workspaces.models import Workspace

Json = dict[str, Any]
JSON = "application/json"

EVERY = [
    (path, method, operation)
    for path, operations in described.document()["paths"].items()
    for method, operation in operations.items()
]
OPERATIONS = [each for each in EVERY if "requestBody" in each[2]]
LISTS = [
    (path, parameter)
    for path, method, operation in EVERY
    if method == "get" and "{" not in path
    for parameter in operation.get("parameters", ())
    if parameter.get("in") == "query"
]
IDS = [operation["operationId"] for _, _, operation in OPERATIONS]
KINDS = {kind.value.replace("fraud_", "fraud-"): kind for kind in CheckType}
"""By what addresses call them."""


class World:
    """A workspace in which whatever an example names can be made."""

    def __init__(self, workspace: Workspace, subscribe: Subscribe, deliver: Deliver) -> None:
        self.workspace, self.subscribe, self.deliver = workspace, subscribe, deliver
        self.client: APIClient = factories.api_client(workspace)
        self.individual: Individual = factories.individual(factories.case(workspace))
        factories.company(self.case)  # the main one is always relevant, so the examples are about another
        self.company: Company = factories.company(self.case, type=CompanyType.AFFILIATED)

    @property
    def case(self) -> Case:
        return self.individual.case

    def check(self, path: str) -> Check:
        """One that may be asked what this address asks."""
        kind = KINDS[path.split("/")[3]]
        if path.endswith("hits/review"):
            return self.check_with_hits
        about = self.company if kind in ABOUT_COMPANIES else self.individual
        status = CheckStatus.NEED_REVIEW if path.endswith("review") else CheckStatus.IN_PROGRESS
        return factories.check(about, kind, status=status)

    @property
    def check_with_hits(self) -> Check:
        return Check.objects.filter(type=CheckType.AML).first() or factories.aml_check_with_hits(self.individual)

    def tagged(self) -> Case:
        self.case.tags.add(factories.tag(self.workspace, "High risk"))
        return self.case

    def draft(self) -> Case:
        return factories.case(self.workspace, status=CaseStatus.DRAFT)

    def delivery(self) -> Delivery:
        self.subscribe("Case.Created")
        factories.case(self.workspace)
        self.deliver()
        return Delivery.objects.get()

    def upload(self) -> str:
        return uploads.uploaded(self.client)


ROWS: Mapping[str, Callable[[World, str], Any]] = {
    "delete_cases_id_tags": lambda world, path: world.tagged(),
    "post_cases_id_complete_client_portal_wait_step": lambda world, path: world.draft(),
}
"""What an address is of, where not just any row will do."""
OF: Mapping[str, Callable[[World, str], Any]] = {
    "cases": lambda world, path: world.case,
    "individuals": lambda world, path: world.individual,
    "companies": lambda world, path: world.company,
    "checks": World.check,
    "notes": lambda world, path: add_note(world.case, "<p>Hello</p>"),
    "tags": lambda world, path: factories.tag(world.workspace, "Low risk"),
    "webhooks": lambda world, path: world.subscribe("Case.Created"),
}
MEMBERS: Mapping[str, Callable[[World], Any]] = {
    "case_id": lambda world: str(world.case.pk),
    "individual_id": lambda world: str(world.individual.pk),
    "company_id": lambda world: str(world.company.pk),
    "ids": lambda world: [str(world.delivery().pk)],
    "hit_ids": lambda world: [world.check_with_hits.data["hits"][0]["id"]],
    "upload_ref": World.upload,
    "front_upload_ref": World.upload,
    "back_upload_ref": World.upload,
}
"""What stands in an example for the identifiers of the caller's own rows."""


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=IDS)
def test_the_example_of_a_body_is_taken(
    path: str, method: str, operation: Json, workspace: Workspace, subscribe: Subscribe, deliver: Deliver
) -> None:
    world = World(workspace, subscribe, deliver)
    made = ROWS.get(operation["operationId"]) or OF.get(path.split("/")[2])
    address = path
    if made and "{" in path:
        address = path.replace("{id}", "{}").replace("{webhook_id}", "{}").format(made(world, path).pk)
    ((media, content),) = operation["requestBody"]["content"].items()
    body = filled(content["example"], world) if media == JSON else {"file": SimpleUploadedFile("a.pdf", b"%PDF-1.7")}
    answer = getattr(world.client, method)(address, body, format="json" if media == JSON else "multipart")
    assert str(answer.status_code) == min(operation["responses"]), answer.content


def filled(example: Any, world: World) -> Any:
    """With identifiers of rows that are there."""
    if isinstance(example, list):
        return [filled(each, world) for each in example]
    if not isinstance(example, dict):
        return example
    return {name: MEMBERS[name](world) if name in MEMBERS else filled(value, world) for name, value in example.items()}


def test_a_webhook_is_made_just_as_its_example_says(workspace: Workspace) -> None:
    (example,) = (
        operation["requestBody"]["content"][JSON]["example"]
        for path, method, operation in OPERATIONS
        if (path, method) == ("/v1/webhooks", "post")
    )
    factories.api_client(workspace).post("/v1/webhooks", example)
    row = Subscription.objects.get()
    assert {name: getattr(row, name) for name in example} == example


@pytest.mark.parametrize(("path", "parameter"), LISTS, ids=[f"{path}?{each['name']}" for path, each in LISTS])
def test_a_list_takes_each_parameter_that_is_described(workspace: Workspace, path: str, parameter: Json) -> None:
    answer = factories.api_client(workspace).get(path, {parameter["name"]: value_of(parameter["schema"])})
    assert answer.status_code == 200, answer.content


def value_of(schema: Json) -> Any:
    if "anyOf" in schema or schema["type"] == "array":
        return value_of(schema["anyOf"][0] if "anyOf" in schema else schema["items"])
    if "enum" in schema:
        return schema["enum"][-1]
    return VALUES.get(schema.get("format") or schema["type"], "503")  # a text, and a status of HTTP


VALUES = {
    "uuid": "019c1432-7e40-7000-8000-000000000005",
    "date": "2026-02-03",
    "date-time": "2026-02-03T09:15:42.128Z",
    "boolean": "true",
    "integer": "7",
}
