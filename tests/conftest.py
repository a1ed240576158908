"""What pytest-django is told of the servers that tests/servers.py started."""

from __future__ import annotations

import os

import pytest
from django.db import connection

from tests.servers import RUN


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """pytest-django names databases by worker (gw0, ...); we add the run: nobody drops another run's database."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "one")
    connection.settings_dict["TEST"]["NAME"] = f"test_hooks_{os.environ[RUN]}_{worker}"
