"""A workspace and a client of its API. Imports wait for the settings: pytest reads this file before they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rest_framework.test import APIClient

    from workspaces.models import Workspace


@pytest.fixture
def workspace(db: None) -> Workspace:
    from tests import factories

    return factories.workspace()


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    from tests import factories

    return factories.api_client(workspace)
