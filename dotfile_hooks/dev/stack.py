"""The product, started as its Procfile says: settings, migrations, web, workers, chores, beat."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import requests
from celery import Celery

from . import places, supervisor
from .processes import StartError
from .supervisor import Supervisor

WORKERS = ("worker1", "worker2")
# Celery warns root of root's power, in ten lines for each worker. Here, what root runs is what root has just cloned.
QUIET_AS_ROOT = "ignore:You're running the worker with superuser privileges"
# Development opens loopback, and only that; production dials public addresses on ports 443 and 80.
OPEN_LOOPBACK = {
    "EGRESS_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
    "EGRESS_ALLOW_HTTP": "true",
    "EGRESS_PORTS": "*",
}


@dataclass(frozen=True)
class Keys:
    """What signs sessions and encrypts secrets."""

    secret_key: str = field(repr=False)
    encryption_key: str = field(repr=False)


def settings(keys: Keys) -> dict[str, str]:
    """Production settings, but for plain HTTP, loopback, and e-mails, which are printed."""
    return {
        "DEBUG": "false",
        "SECRET_KEY": keys.secret_key,
        "ENCRYPTION_KEYS": keys.encryption_key,
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "TLS_PROXY": "false",
        "EMAIL_URL": "console://",
        "HOST": "127.0.0.1",
        **OPEN_LOOPBACK,
    }


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    """Runs a management command; returns what it printed. Raises StartError with what it complained about."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=places.CHECKOUT,
        env=dict(environment),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        complaint = (done.stderr or done.stdout).strip()[-2000:]
        raise StartError(f"manage.py {arguments[0]} failed:\n{complaint}")
    return done.stdout


def start(running: Supervisor, port: int) -> None:
    """Starts web on `port`, two workers, chores, documents and beat; returns at once."""
    lines = supervisor.procfile()
    running.start("web", lines["web"], PORT=str(port))
    for name in WORKERS:
        running.start(name, f"{lines['worker']} -n {name}@%h", PYTHONWARNINGS=QUIET_AS_ROOT)
    for name in ("chores", "documents"):
        running.start(name, lines[name], PYTHONWARNINGS=QUIET_AS_ROOT)
    running.start("beat", lines["beat"])


def wait_until_ready(running: Supervisor, port: int) -> None:
    """Until the web server answers and all four Celery workers say pong. Raises StartError."""
    app = Celery(broker=running.environment["REDIS_URL"])
    running.wait_for("the web server", lambda: answers(f"http://127.0.0.1:{port}/v1/ping"))
    running.wait_for("the workers", lambda: len(app.control.ping(timeout=1, limit=4) or []) == 4)
    app.close()


def answers(url: str) -> bool:
    """Whether a GET is answered without an error of the server's."""
    try:
        return requests.get(url, timeout=5).status_code < 500
    except (requests.ConnectionError, requests.Timeout):
        return False
