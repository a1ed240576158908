"""The webhooks of the API, as a client sees them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from deliveries.models import Lane, Subscription
from tests import factories
from tests.deliveries.conftest import Subscribe
from tests.deliveries.engine.name_server import NameServer, family_zone
from workspaces.models import Workspace

URL = "https://example.com/hooks"
NEEDED = {"url": URL, "events": ["Case.Created"]}
DOTFILE = {"id", "name", "status", "type", "events", "url", "secret", "created_at", "updated_at"}
OURS = {"description", "headers", "max_retries", "timeout", "offline_reason"} | {
    *("max_in_flight", "rate", "ordered", "promoted", "paused_until", "payload", "without")
}


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return factories.api_client(workspace)


def made(client: APIClient, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/webhooks", {**NEEDED, **fields})
    assert response.status_code == 201, response.json()
    found: dict[str, Any] = response.json()
    return found


def refused(response: Any) -> dict[str, str]:
    """What is said of each field."""
    assert response.status_code == 400, response.json()
    return {error["field"]: error["message"] for error in response.json()["errors"]}


def names(client: APIClient, query: str) -> list[str]:
    response = client.get(f"/v1/webhooks?{query}")
    assert response.status_code == 200, response.json()
    return [row["name"] for row in response.json()["data"]]


def test_url_and_events_are_enough(client: APIClient) -> None:
    row = made(client)
    assert set(row) == DOTFILE | OURS
    assert (row["status"], row["type"], row["name"], row["events"]) == ("online", "user", "", ["Case.Created"])
    assert row["secret"].startswith("whsec_")
    assert row["created_at"].endswith("Z")
    assert parse_datetime(row["created_at"]) is not None
    assert client.get(f"/v1/webhooks/{row['id']}").json() == row


@pytest.mark.parametrize("asked", [["*"], ["Case.*", "Check.Completed"], ["NoteComment.*", "*", "Case.Created"]])
def test_families_and_everything_are_stored_as_given(client: APIClient, asked: list[str]) -> None:
    row = made(client, events=asked)
    assert row["events"] == asked
    assert client.patch(f"/v1/webhooks/{row['id']}", {"events": ["Note.*"]}, format="json").json()["events"] == [
        "Note.*"
    ]


def test_everything_can_be_given(client: APIClient) -> None:
    given = {
        "name": "Hooks",
        "status": "offline",
        "type": "system",
        "secret": "a phrase that is long enough",
        "description": "For the CRM.",
        "max_retries": 0,
        "timeout": 2.5,
        "max_in_flight": 4,
        "rate": 0.5,
        "ordered": True,
        "payload": "thin",
        "without": ["*.email", "individual.birth_date"],
    }
    row = made(client, **given, headers={"X-Api-Key": "hush"})
    assert {name: row[name] for name in given} == given
    assert row["headers"] == {"X-Api-Key": "(hidden)"}
    assert row["offline_reason"] == "Turned offline through the API."
    assert Subscription.objects.get().headers == {"X-Api-Key": "hush"}


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"url": None}, "url", "null"),
        ({"url": "nonsense"}, "url", "complete URL"),
        ({"url": "https://10.0.0.1/"}, "url", "public"),
        ({"url": 5}, "url", "string"),
        ({"events": []}, "events", "at least one"),
        ({"events": ["Case.Create"]}, "events", "Did you mean Case.Created?"),
        ({"events": ["*", "*.Deleted"]}, "events", "write a whole family, such as Case.*, or * for everything"),
        ({"events": ["Indivdual.*"]}, "events", "such as Individual.*"),
        ({"events": "Case.Created"}, "events", "list"),
        ({"status": "paused"}, "status", "paused"),
        ({"type": 1}, "type", "1"),
        ({"secret": "short"}, "secret", "16 to 256"),
        ({"headers": {"Host": "x"}}, "headers", "another name"),
        ({"headers": ["Host"]}, "headers", "dictionary"),
        ({"max_retries": 21}, "max_retries", "20"),
        ({"max_retries": "5"}, "max_retries", "integer"),
        ({"max_retries": True}, "max_retries", "integer"),
        ({"timeout": 31}, "timeout", "30"),
        ({"timeout": "5"}, "timeout", "number"),
        ({"max_in_flight": 0}, "max_in_flight", "1"),
        ({"max_in_flight": 257}, "max_in_flight", "256"),
        ({"rate": 0}, "rate", "0.01"),
        ({"rate": 10_001}, "rate", "10000"),
        ({"ordered": 1}, "ordered", "boolean"),
        ({"payload": "tiny"}, "payload", "tiny"),
        ({"payload": None}, "payload", "null"),
        ({"without": ["individual.brith_date"]}, "without", "Did you mean individual.birth_date?"),
        ({"without": ["case.id"]}, "without", "always sent"),
        ({"without": ["individual. email"]}, "without", "names no field"),
        ({"without": [f"*.x{number}" for number in range(51)]}, "without", "at most 50"),
        ({"without": "*.email"}, "without", "list"),
        ({"name": "x" * 181}, "name", "180"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(
    client: APIClient, fields: dict[str, Any], field: str, words: str
) -> None:
    assert words in refused(client.post("/v1/webhooks", {**NEEDED, **fields}))[field]
    assert not Subscription.objects.exists()


@pytest.mark.parametrize("field", ["url", "events"])
def test_url_and_events_are_required(client: APIClient, field: str) -> None:
    fields = {name: value for name, value in NEEDED.items() if name != field}
    assert set(refused(client.post("/v1/webhooks", fields))) == {field}


def test_a_full_workspace_is_told_so(client: APIClient, settings: Settings) -> None:
    settings.WEBHOOKS_PER_WORKSPACE = 1
    made(client)
    response = client.post("/v1/webhooks", NEEDED)
    assert response.status_code == 400
    assert response.json()["message"].startswith("Maximum items reached (1 webhooks).")


def test_only_what_is_given_is_changed(client: APIClient) -> None:
    row = made(client, name="Hooks", headers={"X-Api-Key": "hush"})
    changed = client.patch(f"/v1/webhooks/{row['id']}", {"name": "New"}).json()
    assert changed["updated_at"] > row["updated_at"]
    assert changed == {**row, "name": "New", "updated_at": changed["updated_at"]}


@pytest.mark.parametrize("again", [False, True])
def test_a_change_of_nothing_is_no_change(client: APIClient, again: bool) -> None:
    row = made(client, name="Hooks", headers={"X-Api-Key": "hush"})
    same = {name: row[name] for name in ("name", "url", "events", "secret", "headers", "timeout")} if again else {}
    assert client.patch(f"/v1/webhooks/{row['id']}", same).json() == row
    assert Subscription.objects.get().headers == {"X-Api-Key": "hush"}


def test_the_shape_is_full_until_it_is_changed(client: APIClient) -> None:
    row = made(client)
    assert (row["payload"], row["without"]) == ("full", [])
    changed = client.patch(f"/v1/webhooks/{row['id']}", {"payload": "thin", "without": ["*.email"]}).json()
    assert (changed["payload"], changed["without"]) == ("thin", ["*.email"])
    assert client.patch(f"/v1/webhooks/{row['id']}", {"without": []}).json()["payload"] == "thin"
    assert Subscription.objects.get().without == []


def test_a_misspelt_field_is_named_with_the_nearest(client: APIClient) -> None:
    row = made(client)
    response = client.patch(f"/v1/webhooks/{row['id']}", {"max_retrys": 3, "name": "New"})
    assert refused(response) == {"max_retrys": "There is no such field. Did you mean max_retries?"}
    assert client.get(f"/v1/webhooks/{row['id']}").json() == row


def test_a_field_that_does_not_exist_is_refused_when_creating_too(client: APIClient) -> None:
    response = client.post("/v1/webhooks", {**NEEDED, "colour": "red"})
    assert refused(response) == {"colour": "There is no such field; leave it out."}


def test_of_very_many_such_fields_only_some_are_named(client: APIClient) -> None:
    assert len(refused(client.post("/v1/webhooks", {f"x{number}": 1 for number in range(1000)}))) == 20


def test_what_was_read_may_be_sent_back_whole(client: APIClient) -> None:
    row = made(client, headers={"X-Api-Key": "hush"})
    changed = client.patch(f"/v1/webhooks/{row['id']}", {**row, "id": str(uuid.uuid4()), "name": "New"}).json()
    assert changed == {**row, "name": "New", "updated_at": changed["updated_at"]}


def test_staff_alone_promote(client: APIClient) -> None:
    row = made(client, promoted=True)
    assert row["promoted"] is False
    found = Subscription.objects.get()
    found.promoted = True
    found.save()
    assert client.patch(f"/v1/webhooks/{row['id']}", {"promoted": False}).json()["promoted"] is True


def test_a_pause_of_its_receiver_is_told_while_it_lasts(client: APIClient) -> None:
    row = made(client)
    for minutes, told in ((1, True), (-1, False)):
        Lane.objects.update(resume_at=timezone.now() + timedelta(minutes=minutes))
        assert (client.get(f"/v1/webhooks/{row['id']}").json()["paused_until"] is not None) is told


def test_hidden_header_values_may_be_sent_back(client: APIClient) -> None:
    row = made(client, headers={"X-Api-Key": "hush", "X-Old": "1"})
    client.patch(f"/v1/webhooks/{row['id']}", {"headers": {"X-Api-Key": "(hidden)", "X-New": "2"}})
    assert Subscription.objects.get().headers == {"X-Api-Key": "hush", "X-New": "2"}


def test_a_new_secret_is_a_rotation(client: APIClient) -> None:
    row = made(client)
    client.patch(f"/v1/webhooks/{row['id']}", {"secret": "a phrase that is long enough"})
    found = Subscription.objects.get()
    assert found.signing_secrets() == ["a phrase that is long enough", row["secret"]]


def test_off_and_on_again(client: APIClient) -> None:
    row = made(client)
    off = client.patch(f"/v1/webhooks/{row['id']}", {"status": "offline"}).json()
    assert (off["status"], off["offline_reason"]) == ("offline", "Turned offline through the API.")
    assert not Lane.objects.get().open
    on = client.patch(f"/v1/webhooks/{row['id']}", {"status": "online"}).json()
    assert (on["status"], on["offline_reason"]) == ("online", None)
    assert Lane.objects.get().open


def test_a_refused_change_changes_nothing(client: APIClient) -> None:
    row = made(client, name="Hooks")
    assert set(refused(client.patch(f"/v1/webhooks/{row['id']}", {"name": "New", "url": "x"}))) == {"url"}
    assert client.get(f"/v1/webhooks/{row['id']}").json() == row


def test_a_deleted_webhook_is_gone(client: APIClient) -> None:
    row = made(client)
    assert client.delete(f"/v1/webhooks/{row['id']}").status_code == 204
    response = client.get(f"/v1/webhooks/{row['id']}")
    assert (response.status_code, response.json()["message"]) == (404, "No webhook can be found.")


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_another_workspace_finds_nothing(subscribe: Subscribe, method: str) -> None:
    row = subscribe("Case.Created")
    stranger = factories.api_client(factories.workspace("Other"))
    assert getattr(stranger, method)(f"/v1/webhooks/{row.pk}", {}).status_code == 404
    pagination = {"page": 1, "limit": 20, "count": 0, "next_cursor": None}
    assert stranger.get("/v1/webhooks").json() == {"data": [], "pagination": pagination}
    assert Subscription.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_what_is_no_uuid_is_400_and_unknown_404(client: APIClient, method: str) -> None:
    assert getattr(client, method)("/v1/webhooks/nonsense", {}).status_code == 400
    assert getattr(client, method)(f"/v1/webhooks/{uuid.uuid4()}", {}).status_code == 404


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sort=name", ["a", "b", "c"]),
        ("sort=name.desc", ["c", "b", "a"]),
        ("sort=status,name", ["b", "a", "c"]),
        ("sort=url.desc,created_at", ["c", "b", "a"]),
        ("", ["a", "b", "c"]),
        ("name=a", ["a"]),
        ("name.not_eq=a", ["b", "c"]),
        ("name.ilike=B", ["b"]),
        ("status=offline", ["b"]),
        ("status.not_eq=offline", ["a", "c"]),
        ("type=system", ["c"]),
        ("url.like=/b", ["b"]),
        ("events=Case.Created", ["a", "c"]),
        ("events.array_contains=Case.Created,Case.Updated", ["c"]),
        ("events.array_not_contains=Case.Created", ["b"]),
        ("events.array_overlap=Case.Updated,Note.Created", ["b", "c"]),
        ("created_at.lt=2020-01-01", []),
        ("updated_at.gte=2020-01-01&page=2&limit=2", ["c"]),
    ],
)
def test_lists_are_filtered_and_sorted(
    client: APIClient, subscribe: Subscribe, query: str, expected: list[str]
) -> None:
    subscribe("Case.Created", name="a", url="https://example.com/a")
    subscribe("Case.Updated", name="b", url="https://example.com/b", status="offline")
    subscribe("Case.Created", "Case.Updated", name="c", url="https://example.com/c", type="system")
    assert names(client, query) == expected


@pytest.mark.parametrize(
    "query", ["limit=101", "sort=secret", "name.in=a", "color=red", "status=paused", "name=a&name=b"]
)
def test_a_query_that_is_not_understood_is_400(client: APIClient, query: str) -> None:
    assert client.get(f"/v1/webhooks?{query}").status_code == 400


def test_a_list_takes_the_same_queries_for_one_row_and_for_many(
    client: APIClient, subscribe: Subscribe, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.get("/v1/webhooks")
    for expected in (1, 9):
        while Subscription.objects.count() < expected:
            subscribe("Case.Created")
        with django_assert_num_queries(4):  # the key, the page's keys, its rows, the count
            assert len(client.get("/v1/webhooks").json()["data"]) == expected


# --- Where a URL leads when it is saved -------------------------------------------------------------------------------


@pytest.fixture
def names_lead_to(settings: Settings) -> Iterator[Callable[[list[str] | None], NameServer]]:
    """From then on every name has these addresses; None: nobody answers."""
    with ExitStack() as stack:

        def lead(addresses: list[str] | None) -> NameServer:
            zone = (lambda name, family: None) if addresses is None else family_zone(addresses)
            server = stack.enter_context(closing(NameServer(zone)))
            settings.EGRESS_DNS_SERVERS, settings.URL_LOOKUP_TIMEOUT = [server.address], 5 if addresses else 0.3
            return server

        yield lead


def test_a_url_whose_name_leads_inside_is_refused(
    client: APIClient, names_lead_to: Callable[[list[str] | None], NameServer]
) -> None:
    row = made(client)
    names_lead_to(["10.0.0.1"])
    assert "not public" in refused(client.post("/v1/webhooks", NEEDED))["url"]
    path = f"/v1/webhooks/{row['id']}"
    assert "not public" in refused(client.patch(path, {"url": "https://inner.example.com/"}))["url"]
    # Who sends all of it back changes something else.
    assert client.patch(path, {**row, "status": "offline"}).status_code == 200


@pytest.mark.parametrize("addresses", [["93.184.215.14"], [], None])
def test_a_url_whose_name_is_public_unknown_or_silent_is_accepted(
    client: APIClient, names_lead_to: Callable[[list[str] | None], NameServer], addresses: list[str] | None
) -> None:
    server = names_lead_to(addresses)
    made(client, url="https://Bücher.example/hooks")
    assert {name.lower() for name in server.asked if name not in ("", ".")} == {"xn--bcher-kva.example"}
