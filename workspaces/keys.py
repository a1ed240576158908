"""API keys: what they look like, what of them is kept, and how they are issued and replaced."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from . import networks

if TYPE_CHECKING:
    from .models import ApiKey, Workspace

# The visible part of a key, 12 hexadecimal characters: enough to name it in lists, nothing to guess the rest from.
IDENTIFIER_BYTES = 6
# 256 random bits: a plain SHA-256 of the key is then as good as a slow password hash, and costs a request nothing.
SECRET_BYTES = 32

# The last moment that Python can tell: a key may last until then.
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class Scope(models.TextChoices):
    """What a key may do."""

    READ = "read", "Read cases, people, checks and all else that is no webhook"
    WRITE = "write", "Create, change and delete what read shows"
    WEBHOOKS = "webhooks", "Read and write webhooks, their secrets and their logs"


def every_scope() -> list[str]:
    return list(Scope.values)


def hashed(key: str) -> str:
    """What is stored of a key: SHA-256 of its whole text, in hexadecimal."""
    return hashlib.sha256(key.encode()).hexdigest()


def fits(stored: str, text: str) -> bool:
    """Whether the text is that of the stored hash; takes as long whichever it is."""
    return hmac.compare_digest(stored, hashed(text))


# What a key that nobody has is compared with, so that it takes as long to refuse as one with a wrong secret.
NOBODYS = hashed(secrets.token_hex(SECRET_BYTES))


class ApiKeyManager(models.Manager["ApiKey"]):
    def issue(
        self,
        workspace: Workspace,
        name: str,
        *,
        scopes: Collection[str] | None = None,
        allowed_networks: Iterable[str] = (),
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key and its text. The text is not stored: this is the only time it can be shown.

        Without `scopes` it may do everything, without `allowed_networks` it is good from everywhere. Raises
        ValidationError when something is not as it must be, or when the workspace has all the keys it may have.
        """
        key = self.model(workspace=workspace, name=name, expires_at=expires_at)
        key.scopes = every_scope() if scopes is None else chosen_scopes(scopes)
        key.allowed_networks = networks.allow_list(allowed_networks)
        with transaction.atomic():
            self.check_room(workspace)
            return self._complete(key)

    def rotate(self, key: ApiKey, grace: timedelta | None = None) -> tuple[ApiKey, str]:
        """A new key like this one, and its text; the old one is good for `grace` (KEY_GRACE) longer at most.

        The new one lasts as long as the old one did from its creation on. A key and the one that replaces it are live
        together, never three: raises ValidationError for a key that is not live, or in the middle of a rotation.
        """
        grace = timedelta(seconds=settings.KEY_GRACE) if grace is None else grace
        with transaction.atomic():
            self._lock(key.workspace)
            old = self.select_related("workspace").get(pk=key.pk)
            self._check_alone(old)
            now = timezone.now()
            new = self.model(workspace=old.workspace, name=old.name, replaces=old)
            new.scopes, new.allowed_networks = old.scopes, old.allowed_networks
            lasting = _lasting(old.successors.first() or old)  # the end of `old` is that of a rotation, if it had one
            new.expires_at = now + min(lasting, END_OF_TIME - now) if lasting else None
            self.filter(pk=old.pk).update(expires_at=min(now + grace, old.expires_at or now + grace))
            return self._complete(new)

    def find(self, text: str) -> ApiKey | None:
        """The live key with this text, or None: unknown, revoked and expired keys look the same."""
        prefix, _, rest = text.partition(".")
        identifier = rest.rpartition(".")[2]
        if prefix != "dotkey" or len(identifier) != 2 * IDENTIFIER_BYTES or "\0" in identifier:
            return None
        key = self.select_related("workspace").filter(identifier=identifier).first()
        right = fits(key.hash if key else NOBODYS, text)
        return key if key and right and key.is_live() else None

    def live(self) -> models.QuerySet[ApiKey]:
        """Those that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)

    def check_room(self, workspace: Workspace) -> None:
        """Raises ValidationError when the workspace has all the keys it may have; call it in a transaction.

        Keys that are being replaced are not counted: at the limit, too, keys can be rotated.
        """
        self._lock(workspace)
        limit = settings.KEYS_PER_WORKSPACE
        if self.live().filter(workspace=workspace).exclude(successors__in=self.live()).count() >= limit:
            raise ValidationError(f"Maximum items reached ({limit} keys). Revoke one you no longer need.", code="full")

    def _complete(self, key: ApiKey) -> tuple[ApiKey, str]:
        key.identifier = secrets.token_hex(IDENTIFIER_BYTES)
        text = f"dotkey.{secrets.token_urlsafe(SECRET_BYTES)}.{key.identifier}"
        key.hash = hashed(text)
        key.clean_fields(exclude=["workspace", "replaces"])
        key.clean()
        key.save(force_insert=True)
        return key, text

    def _lock(self, workspace: Workspace) -> None:
        """Until the end of the transaction: nobody else issues or rotates a key of the workspace."""
        type(workspace)._default_manager.select_for_update(no_key=True).get(pk=workspace.pk)

    def _check_alone(self, key: ApiKey) -> None:
        if not key.is_live():
            raise ValidationError(f"{key} is not live: issue a new key instead.", code="not_live")
        if new := self.live().filter(replaces=key).first():
            raise ValidationError(f"{key} is being replaced by {new} already: use that one.", code="rotating")
        if old := self.live().filter(successors=key).first():
            raise ValidationError(f"{key} replaces {old}, which is still live: revoke that one first.", code="rotating")


def _lasting(key: ApiKey) -> timedelta | None:
    """For how long it was issued; None: for ever."""
    return key.expires_at - key.created_at if key.expires_at else None


def chosen_scopes(scopes: Collection[str]) -> list[str]:
    """The scopes in their usual order, each once. Raises ValidationError for others, or for none."""
    if unknown := sorted(set(scopes) - set(Scope.values)):
        raise ValidationError(f"There is no scope {unknown[0]!r}; scopes are {', '.join(Scope.values)}.")
    if not scopes:
        raise ValidationError(f"Give at least one scope of {', '.join(Scope.values)}.")
    return [scope for scope in Scope.values if scope in scopes]
