"""How much `metadata` and `custom_properties` may hold: they are in every payload."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from cases.models import Case
from tests import factories
from workspaces.models import Workspace

from .sample import create
from .test_admin import page_of, sent_by
from .test_case_api import refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("field", ["metadata", "custom_properties"])
@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({str(number): "a" for number in range(501)}, "At most 500 keys; these are 501."),
        ({"a" * 256: "a"}, "Use keys of at most 255 characters."),
        ({"note": "a" * 10_001}, "Use at most 10,000 characters in a text; under “note” are more."),
    ],
    ids=["keys", "key", "text"],
)
def test_what_every_payload_would_hold_is_bounded(
    client: APIClient, field: str, values: dict[str, str], sentence: str
) -> None:
    answer = client.post("/v1/cases", {"name": "Dotfile", field: values})
    errors = [(error["field"], error["code"], error["message"]) for error in answer.json()["errors"]]
    assert (answer.status_code, errors) == (400, [(field, "too_large", sentence)])
    assert not Case.objects.exists()


@pytest.mark.parametrize("texts", [["a"] * 501, ["a" * 10_001]], ids=["many", "long"])
def test_a_list_among_the_custom_properties_is_bounded(client: APIClient, texts: list[str]) -> None:
    assert refused(client, custom_properties={"tags": texts}) == ["custom_properties"]
    people = [{"first_name": "A", "last_name": "B", "custom_properties": {"tags": texts}}]
    assert refused(client, individuals=people) == ["individuals.0.custom_properties"]


def test_the_most_is_taken(client: APIClient) -> None:
    most = {"a" * 255: "b" * 10_000, **{str(number): "" for number in range(499)}}
    made = create(client, metadata=most, custom_properties={**most, "a" * 255: ["b"] * 500})
    assert (made["metadata"], len(made["custom_properties"])) == (most, 500)


def test_updates_do_not_add_up_to_more_than_the_most(client: APIClient) -> None:
    path = f"/v1/cases/{create(client, custom_properties={str(number): 1 for number in range(500)})['id']}"
    assert client.patch(path, {"custom_properties": {"0": 2}}).status_code == 200
    answer = client.patch(path, {"custom_properties": {"more": 1}})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["custom_properties"])


@pytest.fixture
def large(client: APIClient, workspace: Workspace) -> Case:
    """A case from before there were limits."""
    factories.case(workspace)
    with connection.cursor() as cursor:
        members = "(SELECT jsonb_object_agg(n, '') FROM generate_series(1, 600) AS n)"
        cursor.execute(f"UPDATE cases_case SET metadata = {members}, custom_properties = {members}")
    return Case.objects.get()


def test_what_was_larger_before_can_be_read_and_the_rest_changed(client: APIClient, large: Case) -> None:
    path = f"/v1/cases/{large.pk}"
    assert client.patch(path, {"name": "New"}).status_code == 200
    shown = client.get(path).json()
    assert (shown["name"], len(shown["metadata"]), len(shown["custom_properties"])) == ("New", 600, 600)
    assert client.patch(path, {"metadata": {"a": "b"}}).json()["metadata"] == {"a": "b"}


@pytest.mark.parametrize("field", ["metadata", "custom_properties"])
def test_of_what_was_larger_before_values_can_be_changed(client: APIClient, large: Case, field: str) -> None:
    changed = {**getattr(large, field), "7": "changed"}
    answer = client.patch(f"/v1/cases/{large.pk}", {field: changed})
    assert (answer.status_code, answer.json()[field]) == (200, changed)
    assert client.patch(f"/v1/cases/{large.pk}", {"custom_properties": {"7": "again"}}).status_code == 200


def test_metadata_that_was_larger_before_can_become_less_key_by_key(client: APIClient, large: Case) -> None:
    fewer = {key: value for key, value in (large.metadata or {}).items() if key != "7"}
    answer = client.patch(f"/v1/cases/{large.pk}", {"metadata": fewer})
    assert (answer.status_code, answer.json()["metadata"]) == (200, fewer)


@pytest.mark.parametrize("field", ["metadata", "custom_properties"])
@pytest.mark.parametrize("changed", [{"more": "a"}, {"7": "a" * 10_001}], ids=["key", "text"])
def test_what_was_larger_before_does_not_become_larger(
    client: APIClient, large: Case, field: str, changed: dict[str, str]
) -> None:
    answer = client.patch(f"/v1/cases/{large.pk}", {field: {**getattr(large, field), **changed}})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
    if field == "custom_properties":  # an update of these names only what it changes
        assert client.patch(f"/v1/cases/{large.pk}", {field: changed}).status_code == 400


def test_a_key_and_a_text_that_were_longer_before_may_stay(client: APIClient, workspace: Workspace) -> None:
    case, old = factories.case(workspace), {"a" * 300: "a", "note": "a" * 10_001}
    party = factories.individual(case)
    with connection.cursor() as cursor:
        for table in ("case", "individual"):
            cursor.execute(f"UPDATE cases_{table} SET custom_properties = %s", [json.dumps(old)])
    for path in (f"cases/{case.pk}", f"individuals/{party.pk}"):
        answer = client.patch(f"/v1/{path}", {"custom_properties": {"new": "b"}})
        assert (answer.status_code, answer.json()["custom_properties"]) == (200, {**old, "new": "b"})


def test_the_page_of_what_was_larger_before_can_be_saved(admin_client: Client, large: Case) -> None:
    sent = sent_by(admin_client, large)
    assert admin_client.post(page_of(large), {**sent, "name": "New"}).status_code == 302
    assert Case.objects.get().name == "New"
    page = admin_client.post(page_of(large), {**sent, "metadata": '{"note": "%s"}' % ("a" * 10_001)})
    assert "Use at most 10,000 characters in a text" in page.content.decode()
