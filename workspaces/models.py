"""Workspaces (the tenants), the people who work in them, and the keys of the API."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.timesince import timeuntil

from . import keys, networks
from .identifiers import new_id
from .kept import KeptAnswer as KeptAnswer  # a model must be known from here

# A busy key would otherwise cost one UPDATE per request.
LAST_USED_EVERY = timedelta(minutes=1)


class User(AbstractUser):
    """A person who signs in to the admin. The key is a UUID because the API shows users by UUID."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)


class Workspace(models.Model):
    """A tenant: cases, keys and subscriptions belong to exactly one."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=180)
    contact_emails = ArrayField(
        models.EmailField(), default=list, blank=True, help_text="Who is told when something needs attention."
    )
    members = models.ManyToManyField(
        User, blank=True, related_name="workspaces", help_text="Who may be assigned a case of this workspace."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A key of the API. Only its hash is kept (keys.py)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=180, help_text="Where the key is used, for people.")
    identifier = models.CharField(max_length=32, unique=True, editable=False)
    hash = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(
        models.CharField(max_length=8, choices=keys.Scope.choices),
        default=keys.every_scope,
        db_default=["read", "write", "webhooks"],
    )
    allowed_networks = ArrayField(
        models.CharField(max_length=networks.LONGEST),
        default=list,
        db_default=[],
        blank=True,
    )
    """CIDR blocks where the key is good; none: everywhere."""
    replaces = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="successors"
    )
    """The key that this one takes the place of; both are live for a while."""
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    text: str = ""
    """The key itself, while it is being shown for the only time. No column."""

    objects = keys.ApiKeyManager()

    class Meta:
        ordering: ClassVar = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} (…{self.identifier})"

    def clean(self) -> None:
        if self._state.adding and self.expires_at and self.expires_at <= timezone.now():
            raise ValidationError({"expires_at": "This time has passed: give one to come."})

    def allows(self, at: networks.Address | None) -> bool:
        """Whether the key is good from this address."""
        return not self.allowed_networks or networks.holds(self.allowed_networks, at)

    def is_live(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    def state(self) -> str:
        """For people: live, expires in 3 days, expired, revoked."""
        if self.revoked_at:
            return "revoked"
        if self.expires_at is None:
            return "live"
        if not self.is_live():
            return "expired"
        return f"expires in {timeuntil(self.expires_at, depth=1)}".replace("\xa0", " ")

    def revoke(self) -> bool:
        """From now on it is refused. False when it was revoked before."""
        return bool(ApiKey.objects.filter(pk=self.pk, revoked_at=None).update(revoked_at=timezone.now()))

    def note_use(self) -> None:
        """Writes `last_used_at`, at most once a minute."""
        now = timezone.now()
        if self.last_used_at and now - self.last_used_at < LAST_USED_EVERY:
            return
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USED_EVERY)
        ApiKey.objects.filter(stale, pk=self.pk).update(last_used_at=now)
