"""Queries that are compiled once give what the ORM gives."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.db.models import Q
from django.test.utils import CaptureQueriesContext

from cases.models import Case, Individual
from tests import factories
from workspaces.compiled import ByKeys
from workspaces.models import User, Workspace

NAMES = Case.objects.order_by("name").values()


@pytest.fixture
def cases(db: None) -> list[Case]:
    of = factories.workspace()
    fields = {"metadata": {"a": "b"}, "flags": ["for_recollection"]}
    return [factories.case(of, name=f"case {number}", **fields) for number in range(3)]


def test_it_gives_the_rows_that_the_orm_gives_with_their_types(cases: list[Case]) -> None:
    asked, wanted = ByKeys(NAMES, "id"), [case.pk for case in cases[1:]]
    for _ in range(2):
        assert asked.rows(wanted) == list(NAMES.filter(pk__in=wanted))
    assert [row["metadata"] for row in asked.rows(wanted)] == [{"a": "b"}] * 2


def test_keys_may_be_text_and_their_number_may_change(cases: list[Case]) -> None:
    asked = ByKeys(Case.objects.order_by("name").values("id"), "id")
    for wanted in (cases[:1], cases, cases[2:]):
        assert [row["id"] for row in asked.rows([str(case.pk) for case in wanted])] == [case.pk for case in wanted]


def test_one_of_several_columns_is_enough(cases: list[Case]) -> None:
    assert len(ByKeys(Case.objects.values("id"), "workspace_id", "id").rows([cases[0].pk])) == 1
    assert len(ByKeys(Case.objects.values("id"), "workspace_id", "id").rows([cases[0].workspace_id])) == 3


def test_what_else_the_query_asks_for_stays(cases: list[Case]) -> None:
    for number, case in enumerate(cases):
        factories.individual(case, last_name=f"name {number}", is_relevant=number != 1)
    asked = ByKeys(Individual.objects.filter(is_relevant=True).order_by("-last_name").values("last_name"), "case_id")
    assert asked.rows([case.pk for case in cases]) == [{"last_name": "name 2"}, {"last_name": "name 0"}]


def test_nothing_is_asked_for_no_keys(db: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert ByKeys(Workspace.objects.values("id"), "id").rows([]) == []
    assert not captured


def test_keys_that_nobody_has_find_nothing(db: None) -> None:
    assert ByKeys(User.objects.values("id"), "id").rows([uuid4(), UUID(int=0)]) == []


def test_a_query_with_another_list_of_one_value_is_refused(db: None) -> None:
    asked = ByKeys(Case.objects.filter(Q(status__in=["open"])).values("id"), "id")
    with pytest.raises(TypeError, match="no other list"):
        asked.rows([uuid4()])
