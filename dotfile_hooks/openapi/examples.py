"""Examples of answers: those of the events where they say the same, else made of the schema."""

from __future__ import annotations

from functools import cache
from typing import Any

from checks.models import CheckType
from deliveries.api import examples as requests
from deliveries.events import examples as events
from deliveries.events import schemas
from deliveries.events.schemas.words import DEFINITIONS, Schema

from .answers import DEFINITIONS as ANSWERS

Json = dict[str, Any]

EVENTS = {
    "Case": "Case.Created",
    "Individual": "Individual.Created",
    "Company": "Company.Created",
    "Note": "Note.Created",
    "NoteComment": "NoteComment.Created",
}
LONG_FORMS = {"CaseListItem": "Case", "CaseCreated": "Case", "CaseUpdated": "Case"} | {
    "IndividualListItem": "Individual",
    "CompanyListItem": "Company",
}
BY_FORMAT = {
    "uuid": requests.ID,
    "date-time": "2026-02-03T09:15:42.128Z",
    "date": "2026-02-03",
    "email": "ada@example.com",
}
BY_NAME: Json = {
    "workspace_name": "Demo",
    "name": "Core banking",
    "url": "https://example.com/hooks",
    "endpoint": "https://example.com/hooks",
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "events": ["Case.Updated", "Check.*"],
    "description": "",
    "headers": {"Authorization": "•••"},
    "label": "High risk",
    "key": "standard",
    "first_name": "Ada",
    "last_name": "Lovelace",
    "role": "member",
    "event": "Case.Updated",
    "status_code": 200,
    "request_headers": {"content-type": "application/json", "webhook-id": requests.ID},
    "response_headers": {"content-type": "text/plain"},
    "response_body": "ok",
    "error": None,
    "message": None,
    "offline_reason": None,
    "paused_until": None,
    "next_retry_at": None,
    "reason": None,
    "archived_at": None,
    "suspended_at": None,
    "waits_for": None,
    "finished_at": None,
    "worker": "worker-1",
    "type": "first_call",
    "state": "succeeded",
    "requested_by": "API key Production",
    "completed_wait_step_keys": ["documents"],
    "id": requests.ID,
    "case_auto_approval": False,
    "succeeded": True,
    "comment": "All is in order.",
    "success_rate": 1,
}


@cache
def answer_of(name: str) -> Any:
    """An instance of the schema of this name. Raises KeyError for a name that is none."""
    if name in EVENTS:
        return _entity(EVENTS[name])
    if name in LONG_FORMS:
        whole = _entity(EVENTS[LONG_FORMS[name]])
        return {member: whole.get(member) for member in ANSWERS[name]["required"]}
    for kind in CheckType:
        if kind.schema == name:
            return events.body("Check.Approved", kind)["check"]
    return _made(ANSWERS.get(name) or schemas.DEFINITIONS[name])


def _entity(event: str) -> Json:
    found: Json = list(events.body(event).values())[-1]
    return found


def _made(schema: Schema, name: str = "") -> Any:
    """By the member's name if what is known of it fits, else the plainest there is."""
    if "$ref" in schema:
        return answer_of(schema["$ref"].removeprefix(DEFINITIONS))
    if "anyOf" in schema:
        return _made(schema["anyOf"][0], name)
    if name in BY_NAME and _fits(BY_NAME[name], schema):
        return BY_NAME[name]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    return _of_type(_types(schema)[0], schema, name)


def _of_type(kind: str, schema: Schema, name: str) -> Any:
    if kind == "object":
        return {member: _made(of, member) for member, of in schema.get("properties", {}).items()}
    if kind == "array":
        return [] if schema.get("maxItems") == 0 else [_made(schema["items"], name)]
    if kind == "string":
        return BY_FORMAT.get(schema.get("format", ""), name.replace("_", " ").capitalize())
    return {"boolean": False, "integer": 1, "number": 1, "null": None}[kind]


def _fits(value: Any, schema: Schema) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    return any(isinstance(value, PYTHON[kind]) and (kind != "integer" or value is not True) for kind in _types(schema))


def _types(schema: Schema) -> list[str]:
    """`null` comes last."""
    found = schema["type"]
    return [found] if isinstance(found, str) else list(found)


PYTHON: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
