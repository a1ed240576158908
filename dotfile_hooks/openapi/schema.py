"""One operation of the API, read off its view."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

from drf_spectacular.plumbing import ComponentRegistry
from rest_framework.serializers import BaseSerializer

from cases.models import Case
from deliveries.events.schemas.words import FLAG, TEXT, UUID, Schema, ref
from workspaces.api import idempotency
from workspaces.api.described import Operation
from workspaces.api.permissions import Area, needed
from workspaces.api.views import WorkspaceViewSet

from . import common, parameters
from .answers import page_of
from .bodies import Bodies
from .examples import answer_of

Json = dict[str, Any]

CODES = {"create": HTTPStatus.CREATED, "destroy": HTTPStatus.NO_CONTENT}
SUMMARIES = {
    "list": "List {1}",
    "create": "Create {0}",
    "retrieve": "Read {0}",
    "partial_update": "Change {0}",
    "destroy": "Delete {0}",
}
OURS = "Dotfile's API does not have this; it is ours."
TAGS = {
    "ping": "Ping",
    "cases": "Cases",
    "individuals": "Individuals",
    "companies": "Companies",
    "checks": "Checks",
    "document_types": "Checks",
    "files": "Files",
    "notes": "Notes",
    "tags": "Tags",
    "templates": "Templates",
    "users": "Users",
    "webhooks": "Webhooks",
    "webhook-logs": "Webhook logs",
    "webhook-events": "Webhook events",
}
"""By what the address begins with, after the version."""
VARIABLES = {"pk": "id", "case_pk": "id"}
"""Parts of addresses, as clients know them."""


class Schema31(Bodies):
    """drf-spectacular finds the views and describes the serializers; what is said of the rest, this class knows."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Json:
        self.registry, self.path, self.method = registry, path, method.upper()
        operation: Json = {
            "operationId": self._id(),
            "summary": self._summary(),
            "description": self._description(),
            "tags": [TAGS[self.path.split("/")[2]]],
            "security": [{common.KEY: []}],
            "parameters": [*self._path_parameters(), *self._query(), *self._headers()],
            "requestBody": self._body(),
            "responses": self._responses(),
        }
        return {name: value for name, value in operation.items() if value not in (None, "", [])}

    @property
    def said(self) -> Operation:
        return getattr(self._handler, "described", None) or Operation()

    @property
    def _action(self) -> str:
        return getattr(self.view, "action", None) or self.method.lower()

    @property
    def _handler(self) -> Callable[..., Any] | None:
        return getattr(self.view, self._action, None)

    @property
    def _resource(self) -> WorkspaceViewSet[Any] | None:
        return self.view if isinstance(self.view, WorkspaceViewSet) else None

    def _id(self) -> str:
        """`get_cases_id_notes`."""
        words = [word.strip("{}").replace("-", "_") for word in address(self.path).split("/")[2:]]
        return "_".join([self.method.lower(), *words])

    def _summary(self) -> str:
        one, many = self._noun()
        return self.said.summary or SUMMARIES[self._action].format(f"{_article(one)} {one}", many)

    def _noun(self) -> tuple[str, str]:
        if self._resource is None:
            return "answer", "answers"
        names, own = self._resource.model._meta, self._resource.noun
        return own if own[0] else (str(names.verbose_name), str(names.verbose_name_plural))

    def _description(self) -> str:
        scope = needed(getattr(self.view, "scope_area", Area.DOMAIN), self.method)
        needs = f"The key needs the scope `{scope}`." if scope else "Any key may."
        return f"{needs} {OURS}" if self.said.ours else needs

    def _path_parameters(self) -> Iterator[Json]:
        for part in self.path.split("/"):
            if not part.startswith("{"):
                continue
            name = part.strip("{}")
            told, schema = self._variable(name)
            yield {
                "name": VARIABLES.get(name, name),
                "in": "path",
                "required": True,
                "description": told,
                "schema": schema,
            }

    def _variable(self, name: str) -> tuple[str, Schema]:
        if name == "name":
            return "The event's name, such as `Case.Created`.", TEXT
        if name == "case_pk" or getattr(self.view, "model", None) is Case:
            return "The id of the case, or its external_id.", {**TEXT, "minLength": 1}
        return "A UUID.", UUID

    def _query(self) -> Iterator[Json]:
        yield from (parameters.parameter(name, schema) for name, schema in self.said.query.items())
        if self._resource is None:
            return
        if self._action == "list":
            yield from parameters.of_list(self._resource)
        elif self._action == "retrieve" and not self.said.gives:  # a write is not asked: views.flag says why
            yield from (parameters.parameter(name, FLAG) for name in self._resource.row_flags)

    def _headers(self) -> Iterator[Json]:
        if self.method == "POST" and self._resource is not None:
            yield {"$ref": f"#/components/parameters/{idempotency.HEADER}"}
        if HTTPStatus.NOT_MODIFIED in self.said.may:
            yield {"$ref": f"#/components/parameters/{common.KNOWN}"}

    def _body(self) -> Json | None:
        serializer = self._serializer()
        if serializer is None:
            return None
        (media, *_) = self.map_parsers()
        example = self.said.example(self.view) if callable(self.said.example) else self.said.example
        content: Json = {"schema": self.resolve_serializer(serializer, "request").ref}
        if example is not None:
            content["example"] = example
        needed = any(field.required for field in serializer.fields.values()) or getattr(serializer, "rule", {})
        return {"required": bool(needed) and not serializer.partial, "content": {media: content}}

    def _serializer(self) -> Any:
        takes: Any = self.said.takes
        if takes is None:
            return None
        if not _is_serializer(takes):
            takes = takes(self.view)
        return takes(partial=self._action == "partial_update") if _is_serializer(takes) else takes

    def _answer(self) -> tuple[HTTPStatus, str]:
        code = self.said.code or CODES.get(self._action, HTTPStatus.OK)
        names = ("listed", "shown") if self._action == "list" else ("shown",)
        return code, self.said.gives or next(filter(None, (getattr(self.view, name, "") for name in names)), "")

    def _responses(self) -> Json:
        code, name = self._answer()
        replayed = (idempotency.REPLAYED,) if self.method == "POST" and self._resource is not None else ()
        kept = common.KEPT if HTTPStatus.NOT_MODIFIED in self.said.may else ()
        success: Json = {
            "description": code.phrase,
            "headers": common.headers(common.CACHE, *common.LIMITS, *replayed, *kept),
        }
        if code != HTTPStatus.NO_CONTENT:
            success["content"] = {self.said.media: self._content(name)}
        return {str(int(code)): success, **common.endings(self._failures())}

    def _content(self, name: str) -> Json:
        if self.said.media != common.JSON:
            return {"schema": ref(name)}
        if self._action != "list":
            return {"schema": ref(name), "example": answer_of(name, fresh=self.method == "POST")}
        pagination = {"page": 1, "limit": 20, "count": 1, "next_cursor": None}
        return {"schema": page_of(name), "example": {"data": [answer_of(name)], "pagination": pagination}}

    def _failures(self) -> set[HTTPStatus]:
        found = {*common.ALWAYS, *self.said.may}
        if "{" in self.path:
            found.add(HTTPStatus.NOT_FOUND)
        if self.method != "GET":
            found.add(HTTPStatus.CONFLICT)
        if self.method == "POST":
            found.add(HTTPStatus.UNPROCESSABLE_ENTITY)
        if self.said.takes or self.method == "POST":  # one that takes nothing is compared under an Idempotency-Key
            found.update(common.WITH_A_BODY)
        return found


def _is_serializer(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseSerializer)


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeioAEIO" else "a"


def address(path: str) -> str:
    """With the variables that clients know."""
    for name, known in VARIABLES.items():
        path = path.replace(f"{{{name}}}", f"{{{known}}}")
    return path
