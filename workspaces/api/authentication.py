"""Who calls: a workspace, by its API key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.request import Request

from workspaces.models import ApiKey, Workspace

from . import origins, throttles

HEADER = "X-DOTFILE-API-KEY"
SENDER = "Dotfile-Hooks/"
"""How the User-Agent of our own webhooks begins."""


@dataclass(frozen=True)
class Caller:
    """What `request.user` is in the API: a program acting for a workspace."""

    workspace: Workspace
    is_authenticated: ClassVar[bool] = True


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.user` to the Caller and `request.auth` to the ApiKey, and counts what each key and address sends.

    Throttled here and not by DRF's throttles, which come after permissions and only for callers that have a good key.
    """

    def authenticate(self, request: Request) -> tuple[Caller, ApiKey]:
        _refuse_webhooks(request)
        text = request.headers.get(HEADER)
        if not text:
            raise NotAuthenticated(f"Send your workspace's API key in the header {HEADER}.")
        key = _found(text, request)
        throttles.by_key(request, key)
        key.note_use()
        return Caller(key.workspace), key

    def authenticate_header(self, request: Request) -> str:
        # Without this header DRF answers 403 where 401 is meant.
        return f'ApiKey header="{HEADER}"'


def _found(text: str, request: Request) -> ApiKey:
    """The key with this text, if it is good here. Refusals are counted, so that keys are not guessed for free."""
    at = origins.caller(request.META)
    key = ApiKey.objects.find(text)
    if key and key.allows(at):
        return key
    throttles.by_address(origins.whole(at))
    if key:
        raise PermissionDenied(f"This API key may not be used from {at or 'this address'}: see its allow list.")
    raise AuthenticationFailed("This API key is unknown, revoked or expired. Ask for a new one.")


def _refuse_webhooks(request: Request) -> None:
    """A webhook that leads here would cause events that cause webhooks, without end."""
    if "webhook-id" in request.headers or request.headers.get("User-Agent", "").startswith(SENDER):
        raise PermissionDenied(
            "This API takes no webhooks. Give the webhook that sends them here the URL of a receiver."
        )
