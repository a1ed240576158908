"""Servers for the tests: those of DATABASE_URL and REDIS_URL, or throw-away ones, started once for the whole run."""

from __future__ import annotations

import contextlib
import os
import secrets
from urllib.parse import urlsplit

import django
import pytest

from dotfile_hooks.dev import processes, servers

RUN = "DOTFILE_HOOKS_TEST_RUN"  # the run's random name: two runs on one given PostgreSQL use different databases
_stack = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before any conftest imports a model: servers, and an environment that names them."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker:
        processes.end_cleanly()
        _begin()
    os.environ["REDIS_URL"] = _redis_of(worker)
    os.environ["DJANGO_SETTINGS_MODULE"] = "dotfile_hooks.settings"
    django.setup()


def _begin() -> None:
    try:
        started = servers.given() or _stack.enter_context(servers.throwaway())
    except processes.StartError as error:
        pytest.exit(str(error), returncode=1)
    os.environ |= started.environment() | {
        RUN: secrets.token_hex(4),
        "DEBUG": "1",
        # The receivers of the tests listen on loopback, on whatever port is free.
        "EGRESS_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
        "EGRESS_ALLOW_HTTP": "1",
        "EGRESS_PORTS": "*",
    }


def _redis_of(worker: str) -> str:
    """One Redis database for each process: the URL's own for a single one, the next numbers for parallel workers."""
    url = urlsplit(os.environ["REDIS_URL"])
    first = int(url.path.strip("/") or 0)
    number = first + 1 + int(worker.removeprefix("gw")) if worker else first
    return url._replace(path=f"/{number}").geturl()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With NO_SKIPS set (as .ci/run does) a skipped test is a failure: a promise that nobody checked."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("NO_SKIPS"):
        return
    if skipped := reporter.stats.get("skipped"):
        reporter.write_line(f"\n{len(skipped)} skipped, and NO_SKIPS is set:", red=True)
        for report in skipped:
            reporter.write_line(f"  {report.nodeid}: {report.longrepr[2] if report.longrepr else ''}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure() -> None:
    _stack.close()
