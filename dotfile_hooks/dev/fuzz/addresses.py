"""What the router has under /v1: which methods each address takes, and which rows its parameters may name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from cases.models import Case
from checks.api.files import FileViewSet
from checks.models import CheckFile
from deliveries.events import catalogue
from deliveries.models import Subscription
from workspaces.models import Workspace

ROOT = "v1/"
CONVERTED = re.compile(r"<(?:\w+:)?(\w+)>")
PARAMETER = re.compile(r"\{([^{}]*)\}")
METHODS = ("get", "post", "put", "patch", "delete")
PARENTS: Mapping[str, Any] = {"case_pk": Case, "webhook_id": Subscription}
"""Parameters that name another row than the view's own."""
MOST = 80
"""Values of a parameter: enough to choose from."""


@dataclass(frozen=True)
class Address:
    """One address; parameters of templates are nameless, since documents name them as they like."""

    template: str
    """/v1/cases/{}/notes"""
    parameters: tuple[str, ...]
    methods: frozenset[str]
    view: Any
    options: Mapping[str, Any]

    @property
    def takes_a_row_away(self) -> bool:
        """Whether DELETE removes the row that the last parameter names, and not what that row has."""
        return self.template.endswith("{}")

    def values(self, parameter: str, workspace: Workspace) -> list[str]:
        """What the parameter may be to lead to something; empty where nobody can know."""
        if parameter == "name":
            return [*catalogue.NAMES][:MOST]
        if parameter in PARENTS:
            rows = PARENTS[parameter].objects.filter(workspace=workspace)
        elif self.view is FileViewSet:  # what was uploaded is read as a part of its check
            rows = CheckFile.objects.filter(for_check__case__workspace=workspace)
        else:
            rows = self.view.model._default_manager.filter(**{self.view.workspace_lookup: workspace})
        if kind := self.options.get("kind"):
            rows = rows.filter(type=kind)
        names = ["pk"] + ["external_id"] * hasattr(rows.model, "external_id")
        found = chain.from_iterable(rows.order_by("pk").values_list(*names)[:MOST])
        return [str(value) for value in found if value]


def nameless(path: str) -> str:
    """The template of a document's path."""
    return PARAMETER.sub("{}", path)


def names(path: str) -> list[str]:
    """What a document calls the parameters of a path."""
    return PARAMETER.findall(path)


def all_addresses() -> dict[str, Address]:
    """By template."""
    return {address.template: address for address in _below(get_resolver().url_patterns)}


def _below(patterns: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[Address]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _below(pattern.url_patterns, route) if route == ROOT else ()
        elif view := getattr(pattern.callback, "cls", None):
            parameters = tuple(CONVERTED.findall(route))
            yield Address(
                "/" + CONVERTED.sub("{}", route),
                parameters,
                _methods(pattern.callback),
                view,
                _options(pattern.callback),
            )


def _methods(callback: Any) -> frozenset[str]:
    named: Collection[str] = getattr(callback, "actions", ()) or [m for m in METHODS if hasattr(callback.cls, m)]
    return frozenset(named)


def _options(callback: Any) -> Mapping[str, Any]:
    options: Mapping[str, Any] = getattr(callback, "initkwargs", {})
    return options
