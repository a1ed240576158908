"""What a view says of itself for the API's description: no more than its code does not say already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

from rest_framework.serializers import BaseSerializer

Json = dict[str, Any]
Handler = TypeVar("Handler", bound=Callable[..., Any])
Hints = dict[str, Any]
"""`hints` of a field of a serializer: keywords of JSON Schema that its own code cannot be read for."""
Body = type[BaseSerializer[Any]] | Callable[[Any], BaseSerializer[Any] | type[BaseSerializer[Any]]]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method at one address."""

    summary: str = ""
    takes: Body | None = None
    """The serializer of the body, or a function of the view that gives or makes it."""
    gives: str = ""
    """The schema of the answer, by name; unless given, what the view shows of a row."""
    code: HTTPStatus | None = None
    """Unless given: that of the action."""
    media: str = "application/json"
    """Of the answer."""
    may: tuple[HTTPStatus, ...] = ()
    """Other ways in which it may end, beyond those that follow from what it is."""
    ours: bool = False
    """Dotfile does not have it."""
    query: Mapping[str, Json] = field(default_factory=dict)
    """Parameters beyond filters, pages and flags: a JSON Schema each."""
    example: Any = None
    """Of the body, or a function of the view that gives it."""


def described(**said: Any) -> Callable[[Handler], Handler]:
    """Says of an action what an Operation has. `dotfile_hooks.openapi` reads it; nothing else does."""

    def keep(handler: Handler) -> Handler:
        handler.described = Operation(**said)  # type: ignore[attr-defined]
        return handler

    return keep
