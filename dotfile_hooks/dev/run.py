"""`make run`: the same programs as the demo, kept up, with data that stays, an admin account and the inspector."""

from __future__ import annotations

import contextlib
import json
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import requests
from rich.console import Console

from . import places, processes, servers, stack, supervisor
from .api import Api
from .keeping import Kept, data_place
from .processes import StartError
from .screen import Screen
from .supervisor import Supervisor

ADMIN = "admin"
WEB_PORT, INSPECTOR_PORT = 8000, 8001  # where they are free; otherwise any other
INBOX = "demo"  # the last part of the inspector's address for our own subscription
EVENTS = ["*"]

console = Console(highlight=False)


@dataclass(frozen=True)
class Addresses:
    """Where a person and a program find things."""

    web: str
    inbox: str
    page: str


def main() -> int:
    processes.end_cleanly()
    with processes.sentences(), ExitStack() as exits:
        running, kept, at = start(exits)
        console.print(welcome(kept, at), soft_wrap=True)
        while True:
            running.check()
            time.sleep(0.5)


def start(exits: ExitStack) -> tuple[Supervisor, Kept, Addresses]:
    """Everything, in order; `exits` ends it. Raises StartError."""
    _say("Starting PostgreSQL and Valkey")
    urls = exits.enter_context(servers.kept())
    kept = Kept.load(places.kept_folder())
    keys = stack.Keys(kept.secret_key, kept.encryption_key)
    environment = supervisor.program_environment(urls.environment(), stack.settings(keys))
    _say("Creating the tables and collecting the admin's static files")
    _release(environment)
    _create_admin(environment, kept)
    _say("Starting web, two workers, chores, documents, beat and the inspector")
    running = exits.enter_context(Supervisor(environment, lambda name: subprocess.PIPE))
    exits.callback(_say, "Stopping (Ctrl-C once more to do so at once)")
    web, page = _port(WEB_PORT), _port(INSPECTOR_PORT)
    at = Addresses(
        f"http://127.0.0.1:{web}",
        f"http://127.0.0.1:{page}/in/{kept.inspector_token}",
        f"http://127.0.0.1:{page}/{kept.inspector_token}/",
    )
    inspector = f"exec {shlex.quote(sys.executable)} -m dotfile_hooks.dev.inspector --port {page}"
    running.start("inspector", inspector, INSPECTOR_TOKEN=kept.inspector_token)
    stack.start(running, web)
    Screen(running.programs)
    stack.wait_until_ready(running, web)
    _subscribe(environment, kept, at)
    return running, kept, at


def _say(line: str) -> None:
    console.print(f"[dim]·[/dim] {line}")


def _port(wanted: int) -> int:
    """The wanted port where it is free, so that bookmarks and subscriptions keep working; else any free one."""
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", wanted))
        return wanted
    return processes.free_port()


def _release(environment: Mapping[str, str]) -> None:
    command = supervisor.procfile()["release"]
    done = subprocess.run(
        ["sh", "-c", command], cwd=places.CHECKOUT, env=dict(environment), capture_output=True, text=True
    )
    if done.returncode:
        raise StartError(f"The Procfile's release line failed:\n{done.stderr.strip()[-2000:]}")


def _create_admin(environment: Mapping[str, str], kept: Kept) -> None:
    account = {"DJANGO_SUPERUSER_PASSWORD": kept.admin_password}
    arguments = "createsuperuser", "--noinput", "--username", ADMIN, "--email", "admin@example.com"
    try:
        stack.manage({**environment, **account}, *arguments)
    except StartError as error:
        if "already taken" not in str(error):
            raise


def _subscribe(environment: Mapping[str, str], kept: Kept, at: Addresses) -> None:
    """A workspace with a key and a subscription that points at the inspector; made when the kept ones do not work."""
    try:
        webhook = _kept_webhook(kept, at)
    except StartError:
        made = json.loads(stack.manage(environment, "create_workspace", "Demo", "--json"))
        kept.api_key = made["api_key"]
        body = {"name": "Inspector", "url": f"{at.inbox}/{INBOX}", "events": EVENTS}
        webhook = Api(at.web, kept.api_key).post("webhooks", body)
        kept.webhook_id = webhook["id"]
        kept.save()
    requests.post(f"{at.page}secrets", params={"name": INBOX}, data=webhook["secret"], timeout=10).raise_for_status()


def _kept_webhook(kept: Kept, at: Addresses) -> dict[str, Any]:
    if not kept.webhook_id:
        raise StartError("None has been made yet.")
    url = {"url": f"{at.inbox}/{INBOX}"}
    webhook: dict[str, Any] = Api(at.web, kept.api_key).patch(f"webhooks/{kept.webhook_id}", url)
    return webhook


def welcome(kept: Kept, at: Addresses) -> str:
    """What a person needs to begin."""
    opened = " ".join(f"{name}={value}" for name, value in stack.OPEN_LOOPBACK.items())
    headers = f"-H 'X-DOTFILE-API-KEY: {kept.api_key}' -H 'Content-Type: application/json'"
    return f"""
[bold]Admin[/bold]      {at.web}/admin/
           {ADMIN} / {kept.admin_password}
[bold]API[/bold]        {at.web}/v1/
           X-DOTFILE-API-KEY: {kept.api_key}
[bold]Inspector[/bold]  {at.page}
           The workspace Demo has a subscription to it. For another one paste
           {at.inbox}/NAME
           with a NAME of its own: its secret, once you paste it into the page, is kept by that.
           Add ?answer=503 to see how a refusal is retried.

[bold]Try[/bold] curl {at.web}/v1/cases {headers} -d '{{"name": "My first case"}}'

Receivers on loopback are allowed here, and only here, by {opened}
{data_place(places.kept_folder())}
Ctrl-C stops everything.
"""


if __name__ == "__main__":
    sys.exit(main())
