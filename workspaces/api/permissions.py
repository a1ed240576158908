"""What a key may do, by its scopes. The default of every view: a new one is closed until it says what it is."""

from __future__ import annotations

from enum import Enum
from typing import Any

from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from workspaces.keys import Scope
from workspaces.models import ApiKey


class Area(Enum):
    """Part of the API that a view belongs to: its `scope_area`."""

    DOMAIN = "cases, people, checks and what belongs to them"
    WEBHOOKS = "webhooks and their logs"
    OPEN = "what every key may see, whatever its scopes"


def needed(area: Area, method: str) -> Scope | None:
    """The scope that a request needs, if it needs one.

    Webhooks have one scope for reading and writing: a list of them shows their secrets, and who can write one can have
    everything sent to an address of theirs.
    """
    if area is Area.OPEN:
        return None
    if area is Area.WEBHOOKS:
        return Scope.WEBHOOKS
    return Scope.READ if method in SAFE_METHODS else Scope.WRITE


class HasScope(BasePermission):
    """A key whose scopes allow this method in the view's `scope_area` (Area.DOMAIN unless it says otherwise)."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Raises PermissionDenied, with a sentence that names the scope."""
        key = request.auth
        if not isinstance(key, ApiKey):
            return False
        scope = needed(getattr(view, "scope_area", Area.DOMAIN), request.method or "")
        if scope is not None and scope not in key.scopes:
            raise PermissionDenied(f"This API key lacks the scope `{scope}`. Use one that has it.")
        return True
