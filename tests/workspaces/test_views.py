"""The base of the API's views cannot forget whose rows it shows."""

from __future__ import annotations

from types import new_class
from typing import Generic

import pytest

from cases.models import Case
from workspaces.api.views import M, WorkspaceViewSet


class Shared(WorkspaceViewSet[M], Generic[M]):
    """A base of several resources: it need not say whose rows it shows, since it is no view yet."""


@pytest.mark.parametrize("given", [{}, {"model": Case}, {"workspace_lookup": "workspace"}])
def test_a_view_that_does_not_say_whose_rows_it_shows_cannot_be_defined(given: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="must set"):
        type("Forgetful", (WorkspaceViewSet,), given)


@pytest.mark.parametrize("base", [Shared, Shared[Case], WorkspaceViewSet[Case]])
def test_nor_can_one_of_a_shared_base(base: type[WorkspaceViewSet[Case]]) -> None:
    with pytest.raises(TypeError, match="must set"):
        new_class("Forgetful", (base,))
