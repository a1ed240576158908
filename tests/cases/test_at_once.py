"""Requests about one case at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from rest_framework.test import APIClient

from cases import services
from cases.models import Case, Company, Individual, Tag
from checks.models import Check
from deliveries.models import Event
from tests import factories
from tests.workspaces.crowd import meanwhile

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("path", "field", "theirs", "ours"),
    [
        ("cases", "custom_properties", {"b": "2"}, {"a": "1"}),
        ("individuals", "custom_properties", {"b": "2"}, {"a": "1"}),
        ("individuals", "address", {"city": "Bayonne"}, {"country": "FR"}),
        ("companies", "address", {"city": "Bayonne"}, {"country": "FR"}),
    ],
)
def test_what_another_merged_meanwhile_is_kept(path: str, field: str, theirs: Any, ours: Any) -> None:
    case = factories.case()
    row: Model = {"cases": case, "individuals": factories.individual(case), "companies": factories.company(case)}[path]
    client = factories.api_client(case.workspace)

    def first() -> None:
        setattr(row, field, theirs)
        row.save()

    answer = meanwhile(first, lambda: client.patch(f"/v1/{path}/{row.pk}", {field: ours}))
    assert answer.status_code == 200
    row.refresh_from_db()
    assert getattr(row, field) == {**theirs, **ours}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("post", "individuals", {"case_id": "{case}", "first_name": "A", "last_name": "B"}, 404),
        ("post", "companies", {"case_id": "{case}", "name": "A"}, 404),
        ("post", "notes", {"case_id": "{case}", "content": "A"}, 404),
        ("post", "checks/aml", {"individual_id": "{individual}"}, 400),
        ("post", "cases/{case}/reviews", {"status": "approved"}, 404),
        ("post", "cases/{case}/risks", {"level": "high"}, 404),
        ("post", "cases/{case}/tags", {"tags": ["New"]}, 404),
        ("delete", "cases/{case}/tags", {"tags": ["Old"]}, 404),
        ("post", "individuals/{individual}/set-relevant", {"is_relevant": False}, 404),
        ("patch", "cases/{case}", {"status": "draft"}, 404),
        ("patch", "individuals/{individual}", {"first_name": "New"}, 404),
        ("patch", "checks/aml/{check}/review", {"action": "approve"}, 404),
        ("delete", "cases/{case}", None, 404),
        ("delete", "individuals/{individual}", None, 404),
        ("delete", "checks/{check}", None, 404),
    ],
)
def test_a_case_that_is_deleted_meanwhile_is_gone(method: str, path: str, body: dict[str, Any], status: int) -> None:
    case = factories.case()
    person = factories.individual(case)
    ids = {"case": case.pk, "individual": person.pk, "check": factories.check(person, status="need_review").pk}
    case.tags.add(factories.tag(case.workspace, "Old"))
    client = factories.api_client(case.workspace)
    sent = body and {name: value.format(**ids) if isinstance(value, str) else value for name, value in body.items()}
    call = getattr(client, method)
    assert meanwhile(case.delete, lambda: call(f"/v1/{path.format(**ids)}", sent)).status_code == status
    assert not any(model._default_manager.exists() for model in (Case, Individual, Company, Check))


def test_a_case_is_deleted_with_whom_another_adds_meanwhile() -> None:
    case = factories.case()
    client = factories.api_client(case.workspace)
    answer = meanwhile(lambda: factories.individual(case), lambda: client.delete(f"/v1/cases/{case.pk}"))
    assert answer.status_code == 204
    assert not Individual.objects.exists()


def test_a_new_tag_is_made_once() -> None:
    workspace = factories.workspace()
    client = factories.api_client(workspace)
    answer = meanwhile(
        lambda: services.create_case(workspace, {"name": "a"}, tags=["New"]),
        lambda: client.post("/v1/cases", {"name": "b", "tags": ["new", "Newer"]}),
    )
    assert (answer.status_code, answer.json()["tags"]) == (201, ["New", "Newer"])
    assert Tag.objects.count() == 2


def test_the_limit_of_tags_holds(settings: Any) -> None:
    settings.TAGS_PER_WORKSPACE = 1
    workspace = factories.workspace()
    client = factories.api_client(workspace)
    answer = meanwhile(
        lambda: services.create_case(workspace, {"name": "a"}, tags=["One"]),
        lambda: client.post("/v1/cases", {"name": "b", "tags": ["Two"]}),
    )
    assert answer.status_code == 400
    assert [tag.label for tag in Tag.objects.all()] == ["One"]


def test_a_tag_that_the_admin_makes_meanwhile_is_used() -> None:
    workspace = factories.workspace()
    client = factories.api_client(workspace)
    answer = meanwhile(
        lambda: factories.tag(workspace, "New"), lambda: client.post("/v1/cases", {"name": "b", "tags": ["new"]})
    )
    assert (answer.status_code, answer.json()["tags"]) == (201, ["New"])


def create(tag: Tag) -> Tag:
    """Another one."""
    return services.create_tag(tag.workspace, "New")


def rename(tag: Tag) -> Tag:
    return services.rename_tag(tag, "New")


@pytest.mark.parametrize("theirs", [create, rename])
def test_of_two_equal_labels_at_once_one_is_refused_and_named(theirs: Callable[[Tag], object]) -> None:
    tag = factories.tag(factories.workspace(), "Old")
    client = factories.api_client(tag.workspace)
    answer = meanwhile(lambda: theirs(tag), lambda: client.post("/v1/tags", {"label": "NEW"}))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "label")


def test_a_tag_that_two_put_on_a_case_is_told_of_once() -> None:
    case = factories.case()
    factories.tag(case.workspace, "New")
    one, another = (factories.api_client(case.workspace) for _ in range(2))
    Event.objects.all().delete()

    def add(client: APIClient) -> Any:
        return client.post(f"/v1/cases/{case.pk}/tags", {"tags": ["new"]})

    assert meanwhile(lambda: add(one), lambda: add(another)).status_code == 201
    assert [event.name for event in Event.objects.all()] == ["Case.TagsUpdated"]
