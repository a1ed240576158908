"""What pytest-django is told of the servers that tests/servers.py started, and what people are told at the end."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from tests.databases import wait_until_alone
from tests.receivers.languages import left_out
from tests.servers import RUN


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """pytest-django names databases by worker (gw0, ...); we add the run: nobody drops another run's database."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "one")
    connection.settings_dict["TEST"]["NAME"] = f"test_hooks_{os.environ[RUN]}_{worker}"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """pytest-django's own, which drops the database at the end; threads of the last test may still be hanging up."""
    yield
    with django_db_blocker.unblock():
        wait_until_alone()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Names the languages whose snippets are not run here for want of a tool: no test of theirs was collected."""
    passed = terminalreporter.stats.get("passed", [])
    if any(report.nodeid.startswith("tests/receivers/") for report in passed) and (names := ", ".join(left_out())):
        terminalreporter.write_line(f"docs/receivers/signatures.md: not run for want of a tool: {names}.")
