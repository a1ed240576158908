"""What a key may do, by its scopes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.urls import URLResolver, get_resolver
from rest_framework.test import APIClient

from tests import factories
from workspaces.api.permissions import Area, HasScope, needed
from workspaces.keys import Scope
from workspaces.models import ApiKey

READ, WRITE, WEBHOOKS = Scope
METHODS = ("GET", "HEAD", "POST", "PATCH", "PUT", "DELETE")


@pytest.mark.parametrize(
    ("area", "method", "scope"),
    [
        *[(Area.OPEN, method, None) for method in METHODS],
        *[(Area.DOMAIN, method, READ) for method in METHODS[:2]],
        *[(Area.DOMAIN, method, WRITE) for method in METHODS[2:]],
        *[(Area.WEBHOOKS, method, WEBHOOKS) for method in METHODS],
    ],
)
def test_which_scope_a_request_needs(area: Area, method: str, scope: Scope | None) -> None:
    assert needed(area, method) == scope


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("get", "cases", READ),
        ("post", "cases", WRITE),
        ("patch", "cases/x", WRITE),
        ("delete", "cases/x", WRITE),
        ("post", "cases/x/reviews", WRITE),
        ("get", "cases/x/tags", READ),
        ("delete", "cases/x/tags", WRITE),
        ("get", "cases/x/notes", READ),
        ("post", "notes", WRITE),
        ("patch", "tags/x", WRITE),
        ("get", "templates", READ),
        ("get", "individuals", READ),
        ("get", "companies/x", READ),
        ("get", "checks", READ),
        ("post", "checks/aml", WRITE),
        ("get", "document_types", READ),
        ("get", "files/x", READ),
        ("post", "files/upload", WRITE),
        ("get", "webhooks", WEBHOOKS),
        ("get", "webhooks/x", WEBHOOKS),
        ("post", "webhooks", WEBHOOKS),
        ("post", "webhooks/x/recover", WEBHOOKS),
        ("get", "webhook-logs", WEBHOOKS),
        ("post", "webhook-logs/retry", WEBHOOKS),
    ],
)
def test_without_its_scope_a_request_is_403_and_with_it_is_not(method: str, path: str, scope: Scope) -> None:
    workspace = factories.workspace()
    with_it, without = ([scope], [each for each in Scope if each != scope])
    refused = getattr(client(ApiKey.objects.issue(workspace, "a", scopes=without)[1]), method)(f"/v1/{path}")
    assert (refused.status_code, refused.json()["code"]) == (403, "FORBIDDEN")
    assert f"lacks the scope `{scope}`" in refused.json()["message"]
    taken = getattr(client(ApiKey.objects.issue(workspace, "b", scopes=with_it)[1]), method)(f"/v1/{path}")
    assert taken.status_code != 403


@pytest.mark.django_db
@pytest.mark.parametrize("scope", Scope)
def test_any_key_may_ping(scope: Scope) -> None:
    _, text = ApiKey.objects.issue(factories.workspace(), "server", scopes=[scope])
    assert client(text).get("/v1/ping").status_code == 200


def client(text: str) -> APIClient:
    made = APIClient()
    made.credentials(HTTP_X_DOTFILE_API_KEY=text)
    return made


def views(patterns: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each address under /v1 that takes a key, and the class of its view."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from views(pattern.url_patterns, route) if route == "v1/" else ()
        elif (kind := getattr(pattern.callback, "cls", None)) and kind.authentication_classes:
            yield route, kind


def test_every_view_that_takes_a_key_looks_at_its_scopes() -> None:
    found = list(views(get_resolver().url_patterns))
    assert len(found) > 15
    assert {route for route, kind in found if HasScope not in kind.permission_classes} == set()


def test_every_address_of_webhooks_and_logs_needs_the_scope_of_webhooks() -> None:
    areas = {route: getattr(kind, "scope_area", Area.DOMAIN) for route, kind in views(get_resolver().url_patterns)}
    theirs = {route for route in areas if route.split("/")[1] in ("webhooks", "webhook-logs")}
    assert len(theirs) > 8
    assert {route for route, area in areas.items() if area is Area.WEBHOOKS} >= theirs
    assert {route for route, area in areas.items() if area is Area.OPEN} == {"v1/ping"}
