"""`make demo`: starts everything, opens and approves a case through the API, and judges each webhook as it arrived."""

from __future__ import annotations

import json
import secrets
import shlex
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from . import judge, places, processes, report, servers, stack, story, supervisor
from .api import Api
from .evidence import Gatherer
from .judge import Evidence
from .processes import StartError

PATIENCE = 45  # seconds for all deliveries; the two retries need about 17
QUIET = 1.5  # seconds without anything new before we believe that nothing unexpected comes
LOOK = 0.25  # seconds between looks

console = Console(highlight=False)


@dataclass(frozen=True)
class Stage:
    """Everything that runs, and where."""

    running: supervisor.Supervisor
    receiver: str
    record: Path
    api: Api


def main() -> int:
    processes.end_cleanly()
    with processes.sentences(), places.throwaway_folder() as (folder, _):
        try:
            problems = play(folder)
        except StartError as error:
            problems = [str(error)]
        if problems:
            _keep_log(folder)
        report.verdict(console, problems)
        return 1 if problems else 0


def play(folder: Path) -> list[str]:
    """The whole demo, with its files in `folder`; returns every reason why it failed. Raises StartError."""
    began = time.monotonic()
    with ExitStack() as exits:
        stage = set_stage(exits, folder)
        webhooks = story.subscribe(stage.api, stage.receiver)
        story.tell(stage.api, stage.running.environment, _say)
        evidence = wait(stage, Gatherer(stage.api, webhooks, stage.record))
        rows, problems = judge.judge(story.EXPECTED, evidence)
        console.print(report.table(rows))
        console.print("Stopping everything")
    console.print(f"Took {time.monotonic() - began:.0f} s")
    return problems


def set_stage(exits: ExitStack, folder: Path) -> Stage:
    """Servers, migrations, programs, receiver, a workspace with its key; `exits` ends them all."""
    _say("Starting PostgreSQL and Valkey" if servers.given() is None else "Making databases on the given servers")
    urls = exits.enter_context(servers.private())
    keys = stack.Keys(secrets.token_urlsafe(50), Fernet.generate_key().decode())
    environment = supervisor.program_environment(urls.environment(), stack.settings(keys), {"WEB_PROCESSES": "1"})
    running = exits.enter_context(supervisor.logged(environment, folder / "programs.log"))
    web, receiver, record = processes.free_port(), processes.free_port(), folder / "received.jsonl"
    _say("Creating the tables")
    stack.manage(environment, "migrate", "--noinput")
    _say("Starting web, two workers, chores, documents, beat and the receiver")
    running.start("receiver", _receiver_command(receiver, record))
    stack.start(running, web)
    made = json.loads(stack.manage(environment, "create_workspace", "Demo", "--json"))
    stack.wait_until_ready(running, web)
    opened = " ".join(f"{name}={value}" for name, value in stack.OPEN_LOOPBACK.items())
    _say(f"All up. Receivers on loopback are allowed here, and only here, by {opened}")
    return Stage(running, f"http://127.0.0.1:{receiver}", record, Api(f"http://127.0.0.1:{web}", made["api_key"]))


def _receiver_command(port: int, record: Path) -> str:
    seconds = ",".join(f"{each:.0f}" for each in story.RETRY_AFTER)
    arguments = f"--port {port} --record {shlex.quote(str(record))} --refuse {story.REFUSED} --retry-after {seconds}"
    return f"exec {shlex.quote(sys.executable)} -m dotfile_hooks.dev.receiver {arguments}"


def wait(stage: Stage, gatherer: Gatherer) -> Evidence:
    """Looks until all is there and quiet, or patience ends; shows how far it is."""
    _say(f"{story.REFUSED} is refused {len(story.RETRY_AFTER)} times by the receiver: its retries take about 17 s")
    deadline = time.monotonic() + PATIENCE
    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("POSTs received", total=story.TOTAL)
        while True:
            evidence = gatherer.look()
            progress.update(task, completed=len(evidence.posts))
            if len(evidence.posts) >= story.TOTAL or time.monotonic() > deadline:
                break
            stage.running.check()
            time.sleep(LOOK)
    time.sleep(QUIET)
    return gatherer.look()


def _say(line: str) -> None:
    console.print(f"[dim]·[/dim] {line}", soft_wrap=True)


def _keep_log(folder: Path) -> None:
    """Where something failed, the programs' output stays, in the checkout."""
    if kept := places.kept_copy(folder / "programs.log", "demo.log"):
        console.print(f"What the programs printed is in {kept}")


if __name__ == "__main__":
    sys.exit(main())
