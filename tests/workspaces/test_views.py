"""The base of the API's views cannot forget whose rows it shows."""

from __future__ import annotations

import pytest

from cases.models import Case
from workspaces.api.views import WorkspaceViewSet


@pytest.mark.parametrize("given", [{}, {"model": Case}, {"workspace_lookup": "workspace"}])
def test_a_view_that_does_not_say_whose_rows_it_shows_cannot_be_defined(given: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="must set"):
        type("Forgetful", (WorkspaceViewSet,), given)
