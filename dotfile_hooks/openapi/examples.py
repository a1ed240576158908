"""Examples of answers: those of the events where they say the same, written here where they do not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.api import examples as cases
from checks.models import CheckType
from deliveries.api import examples as webhooks
from deliveries.engine.endpoints import HIDDEN
from deliveries.events import documents
from deliveries.events import examples as events

from .answers import DEFINITIONS

Json = dict[str, Any]

ID = cases.ID
EARLIER, NOW, LATER = "2026-01-31T13:30:00.000Z", "2026-02-03T09:15:42.128Z", "2026-02-04T09:15:42.128Z"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  # Standard Webhooks' own example
TIMES: Json = {"created_at": EARLIER, "updated_at": NOW}

ENTITIES = {
    "Case": "Case.Created",
    "Individual": "Individual.Created",
    "Company": "Company.Created",
    "Note": "Note.Created",
    "NoteComment": "NoteComment.Created",
}
"""The event that has one."""
LONG_FORMS = {"CaseListItem": "Case", "CaseCreated": "Case", "CaseUpdated": "Case"} | {
    "IndividualListItem": "Individual",
    "CompanyListItem": "Company",
}
_BY_API: Json = {"author": None, "author_type": "api"}
FRESH: Mapping[str, Json] = {
    "Individual": {"checks": []},
    "Note": {"comments": [], **_BY_API},
    "NoteComment": _BY_API,
}
"""What differs where the API has just made it."""
TAG: Json = {"id": ID, "label": "High risk", "created_at": NOW}
CASES: dict[str, Json] = {
    "CaseReview": {**cases.CASE_REVIEW, "id": ID, "reviewer_type": "api", "user": None, "reviewed_at": NOW},
    "Risk": {**cases.RISK, "id": ID, "mode": "automatic", "comment": None, "created_at": NOW, "updated_at": NOW},
    "CompletedWaitSteps": {"completed_wait_step_keys": [cases.WAIT_STEP["wait_step_key"]]},
    "Tag": TAG,
    "CaseTags": {"tags": [TAG]},
    "CaseTemplate": {
        "id": ID,
        "name": "Standard",
        "key": "standard",
        "description": None,
        "case_auto_approval": False,
        **TIMES,
    },
    "Member": {
        "id": ID,
        "first_name": "Ada",
        "last_name": "Reviewer",
        "email": "ada@example.com",
        "role": "member",
        "created_at": EARLIER,
        "suspended_at": None,
    },
}
CHECKS: dict[str, Json] = {
    "DocumentType": {
        "id": ID,
        "key": "proof_of_address",
        "label": "Proof of address",
        "target_entities": ["individual", "company"],
        "is_internal": False,
        **TIMES,
        "archived_at": None,
    },
    "UploadedFile": {"upload_ref": ID, "expired_at": LATER},
}
PAYLOAD = events.body("Case.Deleted")
ENDPOINT = webhooks.WEBHOOK["url"]
SENT: Json = {
    "content-type": "application/json",
    "webhook-id": PAYLOAD["context"]["event_id"],
    "webhook-timestamp": str(PAYLOAD["context"]["timestamp"]),
    "webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    **dict.fromkeys(webhooks.WEBHOOK["headers"], HIDDEN),
}
ANSWERED: Json = {
    "endpoint": ENDPOINT,
    "status_code": 200,
    "request_headers": SENT,
    "response_headers": {"content-type": "text/plain"},
    "response_body": "ok",
    "error": None,
    "duration_ms": 84,
}
ATTEMPT: Json = {**ANSWERED, "type": "first_call", "attempted_at": NOW, "worker": "worker-1"}
WEBHOOKS: dict[str, Json] = {
    "Subscription": {
        "id": ID,
        "status": "online",
        "type": "user",
        "secret": SECRET,
        **TIMES,
        "description": "",
        "timeout": None,
        "max_in_flight": None,
        "rate": None,
        "ordered": False,
        "without": [],
        **webhooks.WEBHOOK,
        "headers": dict.fromkeys(webhooks.WEBHOOK["headers"], HIDDEN),
        "promoted": False,
        "paused_until": None,
        "offline_reason": None,
    },
    "TestResult": {
        **ANSWERED,
        **webhooks.TEST,
        "succeeded": True,
        "message": None,
        "response_body_cut": False,
        "payload": PAYLOAD,
    },
    "RotatedSecret": {"id": ID, "secret": SECRET, "previous_secret_until": LATER},
    "WebhookStats": {
        "webhook_id": ID,
        "since": "2026-02-02T09:15:42.128Z",
        "until": NOW,
        "complete": True,
        "reaches_back_to": "2026-02-02T09:17:03.512Z",
        "deliveries": {"pending": 2, "succeeded": 1203, "failed": 1, "held": 0, "blocked": 0},
        "attempts": {
            "count": 1220,
            "succeeded": 1203,
            "success_rate": 0.986,
            "latency_ms": {"p50": 61, "p95": 240},
        },
    },
    "Recovery": {
        **webhooks.RECOVERY,
        "id": ID,
        "webhook_id": ID,
        "state": "running",
        "waits_for": None,
        "total": 1200,
        "recovered": 340,
        "reached_at": "2026-02-03T07:02:11.405Z",
        "requested_by": "API key Production",
        "created_at": LATER,
        "finished_at": None,
    },
    "WebhookLog": {
        "id": ID,
        "event": PAYLOAD["event"],
        "status_code": 200,
        "endpoint": ENDPOINT,
        "retry_count": 0,
        "case_id": PAYLOAD["case"]["id"],
        "individual_id": None,
        "company_id": None,
        "webhook_id": ID,
        "created_at": NOW,
        "last_attempt_at": NOW,
        "payload": PAYLOAD,
        "next_retry_at": None,
        "attempts": [ATTEMPT],
        "state": "succeeded",
        "reason": None,
    },
    "Retried": {"retried": [ID], "left_alone": []},
}
WRITTEN: Mapping[str, Json] = {"Ping": {"workspace_name": "Demo"}, **CASES, **CHECKS, **WEBHOOKS}


def answer_of(name: str, *, fresh: bool = False) -> Json:
    """An instance of the schema of this name; `fresh` as it is right after the API made it.

    Raises KeyError for a name that has none.
    """
    if name in WRITTEN:
        return WRITTEN[name]
    if name in ENTITIES:
        return _entity(ENTITIES[name]) | (FRESH.get(name, {}) if fresh else {})
    if name in LONG_FORMS:
        whole = {**_entity(ENTITIES[LONG_FORMS[name]]), "assignee_id": None}
        return {member: whole[member] for member in DEFINITIONS[name]["required"]}
    return _OTHERS[name]() if name in _OTHERS else _check(name, "Check.Started" if fresh else "Check.Approved")


def _entity(event: str) -> Json:
    found: Json = list(events.body(event).values())[-1]
    return found


def _check(name: str, event: str) -> Json:
    kinds = {kind.schema: kind for kind in CheckType}
    found: Json = events.body(event, kinds[name])["check"]
    return found


def _summary() -> Json:
    found: Json = _entity(ENTITIES["Individual"])["checks"][0]
    return found


def _event() -> Json:
    """The smallest. What its schema refers to would fill pages."""
    (found,) = (row for row in documents.listing() if row["name"] == PAYLOAD["event"])
    return {**found, "schema": {"type": "object", "required": [*PAYLOAD]}}


def _events() -> Json:
    pagination = {"page": 1, "limit": 1, "count": len(documents.listing())}
    return {"data": [_event()], "pagination": pagination, "$defs": {}}


_OTHERS = {"CheckSummary": _summary, "CatalogueEvent": _event, "EventPage": _events}
