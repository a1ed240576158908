"""What comes at the same moment is looked at again, once the other is done."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, IntegrityError, connection, transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from cases.models import Case
from tests import factories
from tests.deliveries.waiting import wait_until
from workspaces.api import collisions, errors
from workspaces.api.views import WorkspaceViewSet
from workspaces.models import ApiKey, Workspace

from .crowd import closing, meanwhile, someone_waits_for_us

MINE, THEIRS = 4711, 4712


def lock(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


class Entangled(WorkspaceViewSet[Case]):
    """Takes two locks, the other way round than its test; the second when its test waits for the first."""

    model = Case
    workspace_lookup = "workspace"
    tries: int = 0
    has_the_first: Event

    def create(self, request: Request) -> Response:
        Entangled.tries += 1
        with transaction.atomic():
            lock(THEIRS)
            self.has_the_first.set()
            wait_until(lambda: Entangled.tries > 1 or someone_waits_for_us())
            lock(MINE)
        return Response(request.data)


@pytest.mark.django_db(transaction=True)
def test_a_write_that_loses_a_deadlock_is_tried_again(transactional_db: None) -> None:
    key = ApiKey.objects.issue(factories.workspace(), "tests")[1]
    request = APIRequestFactory().post("/", {"a": 1}, headers={"X-DOTFILE-API-KEY": key})
    view: Callable[..., Any] = Entangled.as_view({"post": "create"})
    Entangled.tries, Entangled.has_the_first = 0, Event()
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL deadlock_timeout = '60s'")  # the other side is the one to give up
            lock(MINE)
            answer = pool.submit(closing, lambda: view(request))
            assert Entangled.has_the_first.wait(30)
            lock(THEIRS)
        found = answer.result(30)
    assert (found.status_code, found.data, Entangled.tries) == (200, {"a": 1}, 2)


@pytest.mark.django_db(transaction=True)
def test_a_row_that_is_gone_when_it_is_saved_is_404(transactional_db: None) -> None:
    case = factories.case()
    client, path = factories.api_client(case.workspace), f"/v1/cases/{case.pk}"
    assert meanwhile(case.delete, lambda: client.patch(path, {"name": "New"}).status_code) == 404


def failing(error: Exception) -> tuple[list[int], collisions.Handler]:
    calls: list[int] = []

    def handler() -> Response:
        calls.append(1)
        raise error

    return calls, collisions.looked_at_again(handler)


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (DatabaseError("Save with update_fields did not affect any rows."), 3),
        (ObjectDoesNotExist("No Case."), 3),
        (IntegrityError("of no known kind"), 1),
        (KeyError("x"), 1),
    ],
)
def test_only_a_collision_is_tried_again_and_not_for_ever(error: Exception, tries: int) -> None:
    calls, handler = failing(error)
    with pytest.raises(type(error)):
        handler()
    assert len(calls) == tries


def test_who_loses_every_time_is_told_to_come_again() -> None:
    response = errors.handle(DatabaseError("Save with update_fields did not affect any rows."), {})
    assert response is not None
    assert (response.status_code, response.data["code"]) == (409, "CONFLICT")


@pytest.mark.django_db
def test_a_row_that_points_to_nothing_is_a_conflict() -> None:
    with transaction.atomic():
        ApiKey.objects.create(workspace=Workspace(name="Gone"), name="key", identifier="key", hash="")
        with pytest.raises(IntegrityError) as caught, transaction.atomic():
            connection.check_constraints()
        transaction.set_rollback(True)
    response = errors.handle(caught.value, {})
    assert response is not None
    assert response.status_code == 409
