"""Deliveries as a receiver gets them from a real worker, and the snippets to judge them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from cases.models import Case
from deliveries import services
from deliveries.engine import signing
from deliveries.models import Delivery, Subscription
from dotfile_hooks.dev.recording import Post
from tests import factories
from tests.deliveries.fleet import Fleet, fleet
from tests.deliveries.receiver import Receiver, receiving
from tests.deliveries.waiting import wait_until
from workspaces.models import Workspace

from .languages import ALWAYS, OTHERS, Language, Question

NAME = "Pyrénées 李 ✓"
PATIENCE = 180.0
"""Seconds in which a worker starts and sends on a busy machine."""
Ask = Callable[[Sequence[Question]], list[str]]


@dataclass(frozen=True)
class Received:
    """A POST as it came over the socket, and the secret that its webhook had."""

    post: Post
    secret: str
    previous: str | None = None

    def question(self, secret: str | None = None, function: str = "verify") -> Question:
        """Whether it is genuine, asked at the moment at which it came."""
        now = int(self.post.received_at) if function == "verify" else None
        return Question(secret or self.secret, self.post.headers, self.post.body, now, function)

    def with_headers(self, **changed: str | None) -> Question:
        """The same with other headers (`webhook_` is put before the names); None leaves one out."""
        headers = {**self.post.headers, **{f"webhook-{name}": value for name, value in changed.items()}}
        kept = {name: value for name, value in headers.items() if value is not None}
        return replace(self.question(), headers=kept)


@pytest.fixture(scope="session")
def received(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, Received]:
    """One POST of each kind, by its kind, and `again`: the one of `full`, sent a second time.

    Made once, for all languages: starting a worker takes seconds. The database is empty again when this is ready.
    """
    with django_db_blocker.unblock():
        try:
            # With a lease that no busy machine outlasts: each POST comes once.
            with receiving() as receiver, fleet(DELIVERY_LEASE="60") as processes:
                return _deliver(receiver, processes)
        finally:
            call_command("flush", verbosity=0, interactive=False)


def _deliver(receiver: Receiver, processes: Fleet) -> dict[str, Received]:
    workspace = factories.workspace()
    rows = {kind: _subscribed(workspace, receiver, kind) for kind in ("full", "thin", "rotated", "phrase")}
    processes.worker()
    Case.objects.create(workspace=workspace, name=NAME)
    posts = {post.path[1:]: post for post in receiver.wait_for(len(rows), PATIENCE)}
    wait_until(lambda: not Delivery.objects.exclude(state=Delivery.State.SUCCEEDED).exists(), PATIENCE)
    services.retry_deliveries(Delivery.objects.filter(subscription=rows["full"]), replay=True)
    rows["again"], posts["again"] = rows["full"], receiver.wait_for(len(rows) + 1, PATIENCE)[-1]
    return {kind: Received(posts[kind], row.secret, row.previous_secret) for kind, row in rows.items()}


def _subscribed(workspace: Workspace, receiver: Receiver, kind: str) -> Subscription:
    row = Subscription(workspace=workspace, url=receiver.url(f"/{kind}"), events=["Case.Created"])
    if kind == "thin":
        row.payload = "thin"
    if kind == "rotated":
        row.previous_secret = signing.generate_secret()
        row.previous_secret_until = timezone.now() + timedelta(hours=1)
    if kind == "phrase":
        row.secret = "a phrase of their own"
    row.save()
    return row


@pytest.fixture(scope="session", params=[*ALWAYS, *(each for each in OTHERS if each.is_here)], ids=str)
def language(request: pytest.FixtureRequest) -> Language:
    """Each language whose snippet is run here."""
    found: Language = request.param
    # Python, Node and openssl are promised, and nothing can stand in for them; .ci/run fails on any skip.
    if not found.is_here:
        pytest.skip(f"{found} is not installed here, so its snippet was not run.")
    return found


@pytest.fixture(scope="session")
def ask(language: Language, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """Asks the language's snippet."""
    folder = tmp_path_factory.mktemp("snippet")
    language.prepare(folder)
    return lambda questions: language.ask(folder, questions)
