"""Workspaces (the tenants), the people who work in them, and the keys of the API."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from .identifiers import new_id

# The visible part of a key, 12 hexadecimal characters: enough to name it in lists, nothing to guess the rest from.
IDENTIFIER_BYTES = 6
# 256 random bits: a plain SHA-256 of the key is then as good as a slow password hash, and costs a request nothing.
SECRET_BYTES = 32
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


def hashed(key: str) -> str:
    """What is stored of a key: SHA-256 of its whole text, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


class ApiKeyManager(models.Manager["ApiKey"]):
    def issue(self, workspace: Workspace, name: str, **fields: Any) -> tuple[ApiKey, str]:
        """A new key and its text. The text is not stored: this is the only time it can be shown."""
        identifier = secrets.token_hex(IDENTIFIER_BYTES)
        text = f"dotkey.{secrets.token_urlsafe(SECRET_BYTES)}.{identifier}"
        key = self.create(workspace=workspace, name=name, identifier=identifier, hash=hashed(text), **fields)
        return key, text

    def find(self, text: str) -> ApiKey | None:
        """The live key with this text, or None: unknown, revoked and expired keys look the same."""
        prefix, _, rest = text.partition(".")
        identifier = rest.rpartition(".")[2]
        if prefix != "dotkey" or len(identifier) != 2 * IDENTIFIER_BYTES or "\0" in identifier:
            return None
        key = self.select_related("workspace").filter(identifier=identifier).first()
        return key if key and key.fits(text) and key.is_live() else None


class ApiKey(models.Model):
    """A key of the API. Only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=180, help_text="Where the key is used, for people.")
    identifier = models.CharField(max_length=32, unique=True, editable=False)
    hash = models.CharField(max_length=64, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    text: str = ""
    """The key itself, while it is being shown for the only time. No column."""

    objects = ApiKeyManager()

    class Meta:
        ordering: ClassVar = ["-created_at"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} (…{self.identifier})"

    def fits(self, text: str) -> bool:
        return hmac.compare_digest(self.hash, hashed(text))

    def is_live(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    def note_use(self) -> None:
        """Writes `last_used_at`, at most once a minute."""
        now = timezone.now()
        if self.last_used_at and now - self.last_used_at < LAST_USED_EVERY:
            return
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - LAST_USED_EVERY)
        ApiKey.objects.filter(stale, pk=self.pk).update(last_used_at=now)
