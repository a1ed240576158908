"""Servers for the tests: those of DATABASE_URL and REDIS_URL, or throw-away ones, started once for the whole run."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from typing import Any

import django
import pytest

from dotfile_hooks.dev import guests, processes, servers

RUN = "DOTFILE_HOOKS_TEST_RUN"  # the run's random name: two runs on the same given servers use different databases
REDIS = "DOTFILE_HOOKS_TEST_REDIS"  # the number of a process's own Redis database
_stack = contextlib.ExitStack()


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Before any conftest imports a model: servers, and an environment that names them."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        processes.end_cleanly()
        _begin()
    os.environ["REDIS_URL"] = guests.with_number(os.environ["REDIS_URL"], int(os.environ[REDIS]))
    os.environ["DJANGO_SETTINGS_MODULE"] = "dotfile_hooks.settings"
    try:
        django.setup()
    except BaseException:  # pytest has not begun, so it would not end us either
        _stack.close()
        raise


def _begin() -> None:
    run = secrets.token_hex(4)
    try:
        started = servers.given() or _stack.enter_context(servers.throwaway())
        number = guests.claim(started.redis_url, run)
    except processes.StartError as error:
        _stack.close()
        sys.exit(str(error))
    _stack.callback(guests.release, started.redis_url, run)
    os.environ |= started.environment() | {
        RUN: run,
        REDIS: str(number),
        "DEBUG": "1",
        # The receivers of the tests listen on loopback, on whatever port is free.
        "EGRESS_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
        "EGRESS_ALLOW_HTTP": "1",
        "EGRESS_PORTS": "*",
        # Tests call faster than any client should; those of throttles set their own.
        **{f"{kind}_PER_MINUTE": "1000000" for kind in ("READS", "WRITES", "BAD_KEYS")},
        **{f"{kind}_BURST": "100000" for kind in ("READS", "WRITES", "BAD_KEYS")},
        # Names in tests are made up: nobody is asked for them, but where a test brings a name server.
        "URL_LOOKUP_TIMEOUT": "0",
        # However busy the machine is, nothing goes on without Redis, but where a test takes it away.
        "WAKE_TIMEOUT": "60",
    }


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: list[Any]) -> None:
    """A Redis database for each parallel worker, claimed here: a worker that crashed leaves it to its successor."""
    try:
        # The first one gets ours: with workers beside us we run no test ourselves.
        numbers = [int(os.environ[REDIS]), *(guests.claim(os.environ["REDIS_URL"], os.environ[RUN]) for _ in specs[1:])]
    except processes.StartError as error:
        pytest.exit(str(error), returncode=1)
    for spec, number in zip(specs, numbers, strict=True):
        spec.env[REDIS] = str(number)


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
