"""Subscriptions, and the queue: events, payloads, deliveries, attempts, lanes.

The queue's tables are written by SQL in events/ and engine/, in bulk; these models are how people read them. Between
the big tables there are no foreign key constraints: a partition that one references could not be dropped. Events,
payloads and attempts have a partition for each day (engine/partitions.py).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import NotSupportedError, models, transaction
from django.db.models.functions import Least, Now
from django.dispatch import Signal
from django.utils import timezone

from workspaces.encryption import EncryptedJSONField, EncryptedTextField
from workspaces.identifiers import lowest_id, made_at, new_id
from workspaces.models import Workspace

from .engine.envelope import FULL, THIN, Shape
from .engine.signing import generate_secret, secrets_at

CLOCK_STEP = timedelta(hours=1)
"""By so much PostgreSQL's clock may be set back, as when another server takes over, before history is overlooked."""

turned_online = Signal()
"""Sent with the subscription as `instance`, in the transaction that opened its lane again."""


def _reference(to: Any, **options: Any) -> models.ForeignKey[Any, Any]:
    """A foreign key in the ORM only: no constraint, no index of its own, nothing cascades."""
    return models.ForeignKey(to, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, **options)


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    """Refuses writes that would leave a subscription and its lane apart."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotSupportedError("Save subscriptions one by one: each save() keeps its lane in step.")

    update = bulk_update = bulk_create = _refuse


class Subscription(models.Model):
    """Who is told what, where. The API calls it a webhook."""

    class Status(models.TextChoices):
        ONLINE = "online"
        OFFLINE = "offline"

    class Type(models.TextChoices):
        USER = "user"
        SYSTEM = "system"

    class Content(models.TextChoices):
        FULL = FULL
        THIN = THIN, "Thin: ids, statuses and links"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="subscriptions")
    name = models.CharField(max_length=180, blank=True)
    description = models.TextField(blank=True)
    url = models.CharField("URL", max_length=2048)
    events = ArrayField(models.CharField(max_length=64), help_text="Names of the events that are sent here.")
    status = models.CharField(max_length=7, choices=Status, default=Status.ONLINE)
    type = models.CharField(max_length=6, choices=Type, default=Type.USER)
    secret = EncryptedTextField(default=generate_secret)
    previous_secret = EncryptedTextField(null=True, editable=False)  # noqa: DJ001  # NULL: there is none
    previous_secret_until = models.DateTimeField(null=True, editable=False)
    headers = EncryptedJSONField(default=dict, blank=True, help_text="Sent with each request; stored encrypted.")
    max_retries = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(20)])
    timeout = models.FloatField(
        null=True, blank=True, help_text="Seconds, 1 to 30.", validators=[MinValueValidator(1), MaxValueValidator(30)]
    )
    max_in_flight = models.PositiveSmallIntegerField(
        "requests at a time",
        null=True,
        blank=True,
        help_text="1 to 256.",
        validators=[MinValueValidator(1), MaxValueValidator(256)],
    )
    rate = models.FloatField(
        "requests a second",
        null=True,
        blank=True,
        help_text="At most so many, evenly spaced; 0.01 to 10,000.",
        validators=[MinValueValidator(0.01), MaxValueValidator(10_000)],
    )
    ordered = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Events of one case arrive in their order: each waits until the one before it succeeded or was given "
        "up. Holds for events from now on.",
    )
    payload = models.CharField(
        max_length=4,
        choices=Content,
        default=Content.FULL,
        db_default=FULL,
        help_text="A thin one holds no personal data; the rest is read through the API. Holds for events from now on.",
    )
    without = ArrayField(
        models.CharField(max_length=200),
        verbose_name="fields left out",
        default=list,
        db_default=[],
        blank=True,
        help_text="Paths such as individual.birth_date, or *.email for all objects, one a line. What is left out is "
        "not stored for these deliveries, either.",
    )
    promoted = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Stays online whatever it answers, but for 410 Gone; while it fails it is only tried now and then.",
    )
    offline_reason = models.CharField(max_length=255, blank=True, editable=False)
    offline_since = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(max_retries__lte=20), name="subscription_retries_at_most_20"),
            # a misspelt one would be told everything
            models.CheckConstraint(condition=models.Q(payload__in=[FULL, THIN]), name="subscription_payload_is_known"),
        ]

    def __str__(self) -> str:
        return self.name or self.host or str(self.id)

    def save(self, **kwargs: Any) -> None:
        """Opens or closes the lane with the status, in one transaction. An edit ends a pause of the lane."""
        if "update_fields" in kwargs:
            raise TypeError("A subscription is saved whole: its status, its reason and its lane belong together.")
        self.updated_at = timezone.now()
        self._stamp()
        with transaction.atomic(savepoint=False):
            super().save(**kwargs)
            lane, created = Lane.objects.get_or_create(subscription=self, defaults={"open": self.is_online})
            if not created:
                lane.follow(self.is_online)
                if self.is_online and not lane.open:
                    turned_online.send(Subscription, instance=self)

    def _stamp(self) -> None:
        """Since when it is offline, and why; or that it no longer is."""
        if self.is_online:
            self.offline_reason, self.offline_since = "", None
        elif self.offline_since is None:
            self.offline_since = self.updated_at

    @property
    def host(self) -> str:
        """All of its URL that may be shown to anybody: a path or a query may be as good as a password."""
        try:
            return urlsplit(self.url).hostname or ""
        except ValueError:
            return ""

    @property
    def is_online(self) -> bool:
        return self.status == self.Status.ONLINE

    @property
    def shape(self) -> Shape:
        return Shape.of(self.payload, self.without)

    @property
    def retries(self) -> int:
        return settings.DELIVERY_MAX_RETRIES if self.max_retries is None else self.max_retries

    @property
    def deadline(self) -> float:
        """Seconds for one request in all."""
        return settings.DELIVERY_TIMEOUT if self.timeout is None else self.timeout

    @property
    def previous(self) -> tuple[str, float] | None:
        """The secret before the last rotation, and until when (seconds since the epoch) it signs too."""
        until = self.previous_secret_until
        return (self.previous_secret, until.timestamp()) if self.previous_secret and until else None

    def signing_secrets(self, now: datetime | None = None) -> list[str]:
        """Newest first; the previous one while its grace lasts."""
        return secrets_at((now or timezone.now()).timestamp(), self.secret, self.previous)


class Lane(models.Model):
    """The way to one subscription: when it is next due, and which courier holds it until when."""

    subscription = models.OneToOneField(Subscription, models.CASCADE, primary_key=True, related_name="lane")
    open = models.BooleanField(default=True)
    """False while the subscription is offline: nothing is sent, deliveries wait."""
    due_at = models.DateTimeField(null=True)
    """When its earliest waiting delivery is due; NULL: none waits."""
    served_at = models.DateTimeField(null=True)
    holder = models.CharField(max_length=120, blank=True)
    """The courier that holds the lease; empty: none."""
    token = models.UUIDField(null=True)
    """The fencing token: a courier that slept past its lease has an old one."""
    leased_until = models.DateTimeField(null=True)
    proven = models.BooleanField(default=False)
    """The last answer was 2xx."""
    takeovers = models.PositiveSmallIntegerField(default=0)
    """Leases in a row that ended without being given back; too many and the lane is parked."""
    resume_at = models.DateTimeField(null=True)
    """Nothing is sent before: its breaker is open, or its rate is used up. `due_at` is never earlier."""
    health = models.JSONField(default=dict, db_default={})
    """How its receiver answered lately; engine/breaker.py reads and writes it."""

    class Meta:
        # lanes.LEASE, and the sweep
        indexes = [models.Index(fields=["due_at"], name="lane_due", condition=models.Q(due_at__isnull=False))]

    def __str__(self) -> str:
        return f"lane of {self.subscription_id}"

    def follow(self, is_online: bool) -> None:
        """Opens or closes with its subscription; an edit is a reason to try again at once.

        Who brings a subscription back online has seen its failures: they count no more.
        """
        changes: dict[str, Any] = {"open": is_online} if self.open != is_online else {}
        if is_online and changes:
            forgiven = self.health.get("forgiven", 0) + 1  # else who holds the lane would write the old failures back
            changes |= {"due_at": Now(), "resume_at": None, "health": {"forgiven": forgiven}}
        elif self.resume_at:
            changes |= {"due_at": Least("due_at", Now()), "resume_at": None}
        if changes:
            Lane.objects.filter(pk=self.pk).update(**changes)


class CaseSequence(models.Model):
    """How many events a case has had: the source of their gapless numbers."""

    case_id = models.UUIDField(primary_key=True)
    last = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.case_id}: {self.last}"


class Event(models.Model):
    """One change that was committed, as recorded in its transaction."""

    class State(models.IntegerChoices):
        WAITING = 0
        BUILT = 1
        FAILED = 2

    id = models.UUIDField(primary_key=True)
    workspace = _reference(Workspace)
    name = models.CharField(max_length=64)
    """The most specific name; the catalogue knows under which others it is sent."""
    case_id = models.UUIDField(null=True)
    individual_id = models.UUIDField(null=True)
    company_id = models.UUIDField(null=True)
    entity_id = models.UUIDField()
    sequence = models.BigIntegerField(null=True)
    """1, 2, 3, ... per case, in order of commit."""
    fields = models.JSONField(null=True)
    """The entity's own columns when it was recorded; emptied once the payload is built, except for deletes."""
    state = models.SmallIntegerField(choices=State, default=State.WAITING)
    build_at = models.DateTimeField()
    builds = models.PositiveSmallIntegerField(default=0)
    """Builds that failed."""
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # fanout.TAKE
            models.Index(fields=["build_at", "id"], name="event_waiting", condition=models.Q(state=0)),
            # payloads: what a case was, when it is gone
            models.Index(fields=["case_id"], name="event_case_deleted", condition=models.Q(name="Case.Deleted")),
            # order.SIFT: whether an earlier event of a case is still to be built
            models.Index(
                fields=["case_id", "sequence"],
                name="event_case_waiting",
                condition=models.Q(case_id__isnull=False, state=0),
            ),
            # the admin: what happened to one case; with the one above, for those that wait
            models.Index(
                fields=["case_id"],
                name="event_of_case",
                condition=models.Q(case_id__isnull=False, state__in=[1, 2]),
            ),
            # the admin: which events could not be built
            models.Index(fields=["-id"], name="event_failed", condition=models.Q(state=2)),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.id}"


class Payload(models.Model):
    """What an event says in one shape, built once and kept: a retry never rebuilds it.

    Subscriptions of equal shapes share it; what the shape leaves out is not in it.
    """

    id = models.UUIDField(primary_key=True)
    event = _reference(Event)
    context = models.TextField()
    """JSON members of the context that no attempt changes: `"workspace":{...},"case":{...}`."""
    entity = models.TextField()
    """The JSON member with the entity: `"case":{...}`."""

    def __str__(self) -> str:
        return str(self.id)


class Delivery(models.Model):
    """One event on its way to one subscription. The API calls it a webhook log."""

    class State(models.IntegerChoices):
        PENDING = 0
        SUCCEEDED = 1
        FAILED = 2
        HELD = 3
        BLOCKED = 4
        """Waits for an earlier event of its case (ordered mode)."""

    class Next(models.IntegerChoices):
        FIRST_CALL = 0
        AUTOMATIC_RETRY = 1
        MANUAL_RETRY = 2

    id = models.UUIDField(primary_key=True)
    workspace = _reference(Workspace)
    subscription = _reference(Subscription, related_name="deliveries")
    event = _reference(Event)
    payload = _reference(Payload)
    event_name = models.CharField(max_length=64)
    sub_event = models.CharField(max_length=64, blank=True)
    case_id = models.UUIDField(null=True)
    individual_id = models.UUIDField(null=True)
    company_id = models.UUIDField(null=True)
    sequence = models.BigIntegerField(null=True)
    state = models.SmallIntegerField(choices=State, default=State.PENDING)
    reason = models.CharField(max_length=64, blank=True)
    """Why it is held, failed or blocked: `offline`, `gone`, `retries_used_up`, `skipped` (the same, in ordered mode),
    `subscription_deleted`, `expired` (its payload is no longer kept), `earlier_event`."""
    ordered = models.BooleanField(default=False, db_default=False)
    """Its subscription was in ordered mode when it was built: it waits for the earlier ones of its case."""
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    """All attempts that were made; the next one's retry_count."""
    retries = models.PositiveSmallIntegerField(default=0)
    """Automatic retries used since the first call or the last manual retry."""
    next_type = models.SmallIntegerField(choices=Next, default=Next.FIRST_CALL)
    status_code = models.PositiveSmallIntegerField(null=True)
    """Of the latest attempt; NULL: no answer came."""
    last_attempt_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    """When the event was recorded."""

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "deliveries"
        indexes = [
            # lanes.READ and lanes.RELEASE
            models.Index(fields=["subscription", "due_at", "id"], name="delivery_due", condition=models.Q(state=0)),
            # the log, newest first
            models.Index(fields=["workspace", "-created_at", "-id"], name="delivery_log"),
            # the log of one case, newest first
            models.Index(
                fields=["case_id", "-created_at"], name="delivery_case", condition=models.Q(case_id__isnull=False)
            ),
            # the log of one webhook, event, person or company, newest first: a row enters when it was tried. Few
            # are of one microsecond: without the id these are a third smaller
            models.Index(
                fields=["subscription", "-created_at"],
                name="delivery_log_webhook",
                condition=models.Q(last_attempt_at__isnull=False),
            ),
            models.Index(
                fields=["workspace", "event_name", "-created_at"],
                name="delivery_log_event",
                condition=models.Q(last_attempt_at__isnull=False),
            ),
            models.Index(
                fields=["individual_id", "-created_at"],
                name="delivery_log_individual",
                condition=models.Q(individual_id__isnull=False, last_attempt_at__isnull=False),
            ),
            models.Index(
                fields=["company_id", "-created_at"],
                name="delivery_log_company",
                condition=models.Q(company_id__isnull=False, last_attempt_at__isnull=False),
            ),
            # the log of what went wrong, newest first
            models.Index(
                fields=["workspace", "-created_at", "-id"],
                name="delivery_log_stuck",
                condition=models.Q(state__in=[2, 3]),
            ),
            # the log by the status of the answer, newest first. Most answers are 200: they are found without it, and
            # cost nothing
            models.Index(
                fields=["workspace", "status_code", "-created_at"],
                name="delivery_log_answer",
                condition=~models.Q(status_code=200) & models.Q(last_attempt_at__isnull=False),
            ),
            # the admin: what failed or is held, to be retried
            models.Index(fields=["state", "-id"], name="delivery_stuck", condition=models.Q(state__in=[2, 3])),
            # recovering.RECOVER: what failed or is held of one subscription, oldest first
            models.Index(
                fields=["subscription", "created_at", "id"],
                name="delivery_recoverable",
                condition=models.Q(state__in=[2, 3]),
            ),
            # order.py: what is unresolved of one case
            models.Index(
                fields=["subscription", "case_id", "sequence"],
                name="delivery_in_order",
                condition=models.Q(ordered=True, state__in=[0, 3, 4]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_name} {self.id}"


class DeadLetter(Delivery):
    """A delivery that finally failed or is held, as the admin lists them."""

    class Meta:
        proxy = True
        default_permissions = ()  # those of deliveries


class AttemptQuerySet(models.QuerySet["Attempt"]):
    """Attempts are found by their deliveries, in the partitions of the days since then only."""

    def of(self, deliveries: Collection[UUID]) -> AttemptQuerySet:
        """Of deliveries with these keys. No attempt is older than its delivery, but for a clock that was set back."""
        since = lowest_id(made_at(min(deliveries)) - CLOCK_STEP) if deliveries else None
        return self.filter(delivery_id__in=deliveries, id__gte=since) if since else self.none()


class Attempt(models.Model):
    """One request of a delivery and what came of it. Rows are only ever added."""

    id = models.UUIDField(primary_key=True)
    delivery = _reference(Delivery, related_name="attempt_set")
    subscription = _reference(Subscription)
    type = models.SmallIntegerField(choices=Delivery.Next)
    number = models.PositiveIntegerField()
    url = models.CharField(max_length=2048)
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=32, blank=True)
    """Class of error when no complete answer came, as in engine.transport.classify()."""
    request_headers = models.JSONField()
    response_headers = models.JSONField(null=True)
    response_body = models.TextField(blank=True)
    """The first 4 KiB."""
    started_at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    remaining = models.PositiveSmallIntegerField(default=0)
    """The `remaining_retry_count` that was sent: with it the very body can be made again."""
    worker = models.CharField(max_length=120)
    late = models.BooleanField(default=False)
    """The courier had lost its lane by then: the outcome was kept and changed nothing."""

    objects = AttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["delivery"], name="attempt_delivery")]  # one delivery's history

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.delivery_id}"


class Recovery(models.Model):
    """A job that sends again what failed or is held of one subscription: oldest first, slowly, behind live traffic."""

    class State(models.TextChoices):
        RUNNING = "running"
        DONE = "done"
        CANCELLED = "cancelled"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="recoveries")
    since = models.DateTimeField()
    until = models.DateTimeField()
    """Events recorded from `since` on and before `until`."""
    held_only = models.BooleanField(default=False, db_default=False)
    """Leaves alone what finally failed."""
    rate = models.FloatField(validators=[MinValueValidator(0.1), MaxValueValidator(1000)])
    """Deliveries a second that are made due at most."""
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    total = models.PositiveIntegerField(null=True)
    """Deliveries that were to be recovered when it began; NULL: not counted yet."""
    recovered = models.PositiveIntegerField(default=0)
    """Made due so far."""
    reached_at = models.DateTimeField(null=True)
    """How far it has come: the `created_at` of the latest delivery it made due, ..."""
    reached_id = models.UUIDField(null=True)
    """... and its key."""
    tick_at = models.DateTimeField(db_default=Now())
    """The due times that it has given out reach up to here."""
    requested_by = models.CharField(max_length=150, blank=True)
    """Who asked for it, for people."""
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "recoveries"
        constraints = [
            # one at a time for a subscription; the sweep finds running ones by it
            models.UniqueConstraint(
                fields=["subscription"], name="recovery_one_running", condition=models.Q(state="running")
            ),
        ]

    def __str__(self) -> str:
        return f"recovery {self.id}"


class Notice(models.Model):
    """An e-mail that people must get because a subscription went offline; written in the transaction of that change."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="notices")
    reason = models.CharField(max_length=255)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    try_at = models.DateTimeField(null=True, db_default=Now())
    """When it is sent, or tried again; NULL: done, or given up."""
    tries = models.PositiveSmallIntegerField(default=0)
    told = ArrayField(models.CharField(max_length=64), default=list, db_default=[])
    """Hashes of the addresses that were reached: a later try leaves them in peace."""
    error = models.CharField(max_length=64, blank=True, db_default="")
    """Why the latest try did not reach everybody; never an address."""
    sent_at = models.DateTimeField(null=True)
    """When everybody had been told."""

    class Meta:
        indexes = [models.Index(fields=["try_at"], name="notice_unsent", condition=models.Q(sent_at__isnull=True))]

    def __str__(self) -> str:
        return f"notice of {self.subscription_id}"


class Expiry(models.Model):
    """What had not been delivered when it was removed for its age: how many, of whom, and why it was left until then.

    A row for each day, subscription, state and reason. It outlives the subscription.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Waiting for its next attempt"
        FAILED = "failed", "Finally failed"
        HELD = "held"
        BLOCKED = "blocked"
        UNBUILT = "unbuilt", "Event never built"
        UNBUILDABLE = "unbuildable", "Event could not be built"

    id = models.UUIDField(primary_key=True)
    day = models.DateField()
    """When it was removed (UTC)."""
    workspace = _reference(Workspace)
    subscription = _reference(Subscription, null=True)
    """NULL: events that never became deliveries."""
    state = models.CharField(max_length=16, choices=State)
    reason = models.CharField(max_length=64, blank=True)
    """As on the deliveries."""
    number = models.PositiveBigIntegerField()
    oldest = models.DateTimeField()
    """When the first of their events was recorded, ..."""
    newest = models.DateTimeField()
    """... and the last."""
    expired_at = models.DateTimeField()
    """When the last of them was removed."""

    class Meta:
        ordering = ["-day", "-id"]
        verbose_name_plural = "expiries"
        constraints = [
            # retention.DELIVERIES adds to the day's row; a subscription's page asks whether it has any
            models.UniqueConstraint(
                fields=["subscription", "day", "state", "reason"],
                name="expiry_of_deliveries",
                condition=models.Q(subscription__isnull=False),
            ),
            # retention.EVENTS adds to the day's row
            models.UniqueConstraint(
                fields=["workspace", "day", "state", "reason"],
                name="expiry_of_events",
                condition=models.Q(subscription__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} expired on {self.day}"
