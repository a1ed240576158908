"""/v1/tags, and the tags of a case."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from cases.models import Case, Tag
from deliveries.models import Event
from tests import factories
from workspaces.models import Workspace

pytestmark = pytest.mark.django_db

UNKNOWN = "019a0000-0000-7000-8000-000000000000"
WRONG: list[Any] = [{}, {"label": None}, {"label": 5}, {"label": ""}, {"label": " "}, {"label": "a" * 101}]
WRONG += [{"label": f"a{mark}b"} for mark in r",;:|/\\"]


@pytest.fixture
def case(workspace: Workspace) -> Case:
    return factories.case(workspace, external_id="e-1")


def told() -> list[str]:
    return list(Event.objects.order_by("sequence").values_list("name", flat=True))


def labels(client: APIClient, method: str, *words: str, status: int) -> list[str]:
    """Of the tags that a request about those of the case answers with."""
    response = getattr(client, method)("/v1/cases/e-1/tags", {"tags": words} if method != "get" else None)
    assert response.status_code == status, response.json()
    assert response.json().keys() == {"tags"}
    return [tag["label"] for tag in response.json()["tags"]]


# Those of a workspace


def test_a_tag_is_created_shown_listed_and_deleted(client: APIClient) -> None:
    made = client.post("/v1/tags", {"label": " High risk "})
    assert (made.status_code, made.json().keys()) == (201, {"id", "label", "created_at"})
    address = f"/v1/tags/{made.json()['id']}"
    assert client.get(address).json() == made.json() | {"label": "High risk"}
    assert client.get("/v1/tags").json()["data"] == [made.json()]
    assert client.delete(address).status_code == 204
    for response in (client.get(address), client.patch(address, {"label": "b"}), client.delete(address)):
        assert (response.status_code, response.json()["message"]) == (404, "No tag can be found.")


@pytest.mark.parametrize("body", WRONG)
def test_a_wrong_label_is_refused(client: APIClient, workspace: Workspace, body: dict[str, Any]) -> None:
    tag = factories.tag(workspace, "Old")
    for response in (client.post("/v1/tags", body), client.patch(f"/v1/tags/{tag.pk}", body)):
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "label")
    assert [each.label for each in Tag.objects.all()] == ["Old"]


def test_a_label_is_taken_in_any_case_but_in_its_workspace_only(client: APIClient, workspace: Workspace) -> None:
    factories.tag(factories.workspace(), "Élite")
    tag = factories.tag(workspace, "Élite")
    other = factories.tag(workspace, "Other")
    for response in (
        client.post("/v1/tags", {"label": "éLITE"}),
        client.patch(f"/v1/tags/{other.pk}", {"label": "éLITE"}),
    ):
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "label")
    assert client.patch(f"/v1/tags/{tag.pk}", {"label": "éLITE"}).json()["label"] == "éLITE"


def test_a_workspace_has_so_many_tags_and_no_more(client: APIClient, settings: Any) -> None:
    settings.TAGS_PER_WORKSPACE = 1
    factories.tag(factories.workspace(), "Theirs")
    assert client.post("/v1/tags", {"label": "a"}).status_code == 201
    response = client.post("/v1/tags", {"label": "b"})
    assert (response.status_code, response.json()["message"].split(";")[0]) == (400, "This workspace may have 1 tags")
    assert Tag.objects.count() == 2


def test_a_renamed_or_deleted_tag_is_told_of_for_each_case_that_has_it(client: APIClient, case: Case) -> None:
    tag = factories.tag(case.workspace, "Old")
    case.tags.add(tag)
    factories.case(case.workspace)
    Event.objects.all().delete()
    client.patch(f"/v1/tags/{tag.pk}", {"label": "New"})
    client.delete(f"/v1/tags/{tag.pk}")
    assert (told(), {event.case_id for event in Event.objects.all()}) == (["Case.TagsUpdated"] * 2, {case.pk})


def test_tags_are_narrowed_and_sorted(client: APIClient, workspace: Workspace) -> None:
    for label in ("b", "a", "Ab"):
        factories.tag(workspace, label)
    found = client.get("/v1/tags?label.ilike=A&sort=label.desc").json()
    assert sorted(tag["label"] for tag in found["data"]) == ["Ab", "a"]
    assert found["pagination"] == {"page": 1, "limit": 20, "count": 2}
    assert client.get("/v1/tags?updated_at=2026-01-01").status_code == 400


# Those of a case


def test_tags_are_put_on_a_case_and_taken_off(client: APIClient, case: Case) -> None:
    known = factories.tag(case.workspace, "Known")
    Event.objects.all().delete()
    assert labels(client, "post", str(known.pk).upper(), "KNOWN", "New", "new", status=201) == ["Known", "New"]
    assert labels(client, "post", "known", status=201) == ["Known", "New"]
    assert labels(client, "get", status=200) == ["Known", "New"]
    assert labels(client, "delete", "nEW", str(known.pk), "known", status=200) == []
    assert told() == ["Case.TagsUpdated"] * 2


@pytest.mark.parametrize("word", ["Other", "None", UNKNOWN])
def test_a_tag_that_the_case_does_not_have_is_404_and_takes_none_off(client: APIClient, case: Case, word: str) -> None:
    factories.tag(case.workspace, "Other")
    labels(client, "post", "Mine", status=201)
    response = client.delete("/v1/cases/e-1/tags", {"tags": ["Mine", word]})
    assert (response.status_code, response.json()["message"]) == (404, f"This case has no tag {word}.")
    assert labels(client, "get", status=200) == ["Mine"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "tags"),
        ({"tags": None}, "tags"),
        ({"tags": "a"}, "tags"),
        ({"tags": [5]}, "tags.0"),
        ({"tags": ["a", ""]}, "tags.1"),
        ({"tags": ["a,b"]}, "tags.0"),
        ({"tags": ["a" * 101]}, "tags.0"),
    ],
)
def test_wrong_tags_are_refused_and_named(client: APIClient, case: Case, body: Any, named: str) -> None:
    for method in (client.post, client.delete):
        response = method("/v1/cases/e-1/tags", body)
        assert (response.status_code, response.json()["errors"][0]["field"]) == (400, named)
    assert not Tag.objects.exists()


def test_the_id_of_no_tag_is_refused(client: APIClient, case: Case) -> None:
    response = client.post("/v1/cases/e-1/tags", {"tags": ["New", UNKNOWN]})
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "tags")
    assert not Tag.objects.exists()


def test_no_tags_change_nothing(client: APIClient, case: Case) -> None:
    Event.objects.all().delete()
    assert labels(client, "post", status=201) == labels(client, "delete", status=200) == []
    assert told() == []


@pytest.mark.parametrize("path", ["tags", "cases/e-1/tags", "templates"])
def test_many_rows_take_as_many_queries_as_one(
    client: APIClient, case: Case, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/v1/ping")  # notes the use of the key
    counts = []
    for number in range(2):
        for each in range(3):
            case.tags.add(factories.tag(case.workspace, f"{number}-{each}"))
            factories.template(case.workspace, f"{number}-{each}")
        with django_assert_max_num_queries(5) as queries:
            assert client.get(f"/v1/{path}").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]
