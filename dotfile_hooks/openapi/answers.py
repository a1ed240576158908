"""What the API answers with, by name: beside what bodies of webhooks refer to, which is described with the events."""

from __future__ import annotations

from checks.models import EntityType
from deliveries.api.logs import STATES, TYPES
from deliveries.api.serializers import LONGEST_GRACE
from deliveries.events import schemas
from deliveries.events.schemas.cases import STORED
from deliveries.events.schemas.words import (
    COUNT,
    EMAIL,
    FLAG,
    MOMENT,
    NUMBER,
    TEXT,
    UUID,
    Schema,
    listing,
    mapping,
    nullable,
    obj,
    one_of,
    ref,
    same,
    told,
)
from deliveries.models import Recovery, Subscription

HEADERS = mapping(TEXT)
OPTIONAL_HEADERS = told(nullable(HEADERS), "Null where no answer came.")
RATIO: Schema = {"type": "number", "minimum": 0, "maximum": 1}
CODE = told({"type": "integer", "minimum": 0, "maximum": 999}, "0 where no answer came; receivers answer oddly, too.")
BODY = told(nullable(TEXT), "The beginning of it; null where no answer came.")
KEPT: Schema = {"type": "string", "contentEncoding": "binary"}


def without(name: str, *members: str) -> dict[str, Schema]:
    """The members of a schema of the events but these."""
    properties: dict[str, Schema] = schemas.DEFINITIONS[name]["properties"]
    return {member: schema for member, schema in properties.items() if member not in members}


_CASE = without("Case", "custom_properties", "controls", "individuals", "companies", "assignee", "client_portal")
_PROPERTIES = {"custom_properties": schemas.DEFINITIONS["Case"]["properties"]["custom_properties"]}
_ASSIGNEE = {"assignee_id": nullable(UUID)}

CASES: dict[str, Schema] = {
    "CaseListItem": obj({**_CASE, **_ASSIGNEE}, _PROPERTIES),
    "CaseCreated": obj({**without("Case"), **_ASSIGNEE}),
    "CaseUpdated": obj({**_CASE, **_ASSIGNEE, **_PROPERTIES}),
    "IndividualListItem": obj(without("Individual", "custom_properties", "checks", "relations")),
    "CompanyListItem": obj(without("Company", "custom_properties", "checks", "relations", "document_orders")),
    "CompletedWaitSteps": obj({"completed_wait_step_keys": listing(TEXT)}),
    "Tag": obj({"id": UUID, "label": TEXT, "created_at": MOMENT}),
    "CaseTags": obj({"tags": told(listing(ref("Tag")), "All that the case has now.")}),
    "CaseTemplate": obj(
        {
            "id": UUID,
            **same(TEXT, "name", "key"),
            "description": nullable(TEXT),
            "case_auto_approval": FLAG,
            **STORED,
        }
    ),
    "Member": obj(
        {
            "id": UUID,
            **same(TEXT, "first_name", "last_name"),
            "email": EMAIL,
            "role": TEXT,
            "created_at": MOMENT,
            "suspended_at": nullable(MOMENT),
        }
    ),
}
CHECKS: dict[str, Schema] = {
    "DocumentType": obj(
        {
            "id": UUID,
            **same(TEXT, "key", "label"),
            "target_entities": listing(one_of(EntityType.values)),
            "is_internal": FLAG,
            **STORED,
            "archived_at": nullable(MOMENT),
        }
    ),
    "UploadedFile": obj(
        {"upload_ref": UUID, "expired_at": told(MOMENT, "Hand it in before then; afterwards it is gone.")}
    ),
    "Bytes": told(KEPT, "The file, to be kept: a browser does not show it."),
}
WEBHOOKS: dict[str, Schema] = {
    "Subscription": obj(
        {
            "id": UUID,
            "name": TEXT,
            "status": one_of(Subscription.Status.values),
            "type": one_of(Subscription.Type.values),
            "events": listing(TEXT),
            "url": TEXT,
            "secret": told(TEXT, "What signs; keep it as you keep passwords."),
            **STORED,
            "description": TEXT,
            "headers": told(HEADERS, "The values stay hidden."),
            "max_retries": nullable(COUNT),
            "timeout": told(nullable(NUMBER), "Seconds."),
            "max_in_flight": nullable(COUNT),
            "rate": told(nullable(NUMBER), "Requests a second."),
            "ordered": FLAG,
            "payload": one_of(Subscription.Content.values),
            "without": told(listing(TEXT), "Paths in the body that are left out."),
            "promoted": FLAG,
            "paused_until": told(nullable(MOMENT), "Nothing is sent before then: its receiver fails too often."),
            "offline_reason": nullable(TEXT),
        }
    ),
    "TestResult": obj(
        {
            "event": TEXT,
            "succeeded": FLAG,
            "endpoint": TEXT,
            "status_code": CODE,
            **same(nullable(TEXT), "error", "message"),
            "duration_ms": nullable(COUNT),
            "response_headers": OPTIONAL_HEADERS,
            "response_body": BODY,
            "response_body_cut": FLAG,
            "request_headers": HEADERS,
            "payload": told(mapping({}), "What was sent."),
        }
    ),
    "RotatedSecret": obj(
        {
            "id": UUID,
            "secret": TEXT,
            "previous_secret_until": told(
                nullable(MOMENT), f"Both sign until then, {LONGEST_GRACE} seconds at most; null if the old one ended."
            ),
        }
    ),
    "WebhookStats": obj(
        {
            "webhook_id": UUID,
            **same(MOMENT, "since", "until"),
            "complete": told(FLAG, "False where there was more in the range than is looked at: the newest counts."),
            "reaches_back_to": nullable(MOMENT),
            "deliveries": obj(dict.fromkeys(STATES, COUNT)),
            "attempts": obj(
                {
                    **same(COUNT, "count", "succeeded"),
                    "success_rate": nullable(RATIO),
                    "latency_ms": obj(same(nullable(COUNT), "p50", "p95")),
                }
            ),
        }
    ),
    "Recovery": obj(
        {
            **same(UUID, "id", "webhook_id"),
            "state": one_of(Recovery.State.values),
            "waits_for": told(nullable(TEXT), "Why a running one does nothing at this moment."),
            **same(MOMENT, "since", "until"),
            "rate": told(NUMBER, "Deliveries a second, at most."),
            "total": told(nullable(COUNT), "Deliveries found; null before they were counted."),
            "recovered": COUNT,
            "reached_at": nullable(MOMENT),
            "requested_by": TEXT,
            "created_at": MOMENT,
            "finished_at": nullable(MOMENT),
        }
    ),
    "Attempt": obj(
        {
            "type": one_of(TYPES.values()),
            "endpoint": TEXT,
            "status_code": CODE,
            "request_headers": HEADERS,
            "response_headers": OPTIONAL_HEADERS,
            "response_body": BODY,
            "attempted_at": MOMENT,
            "worker": TEXT,
            "error": nullable(TEXT),
            "duration_ms": nullable(COUNT),
        }
    ),
    "WebhookLog": obj(
        {
            "id": UUID,
            "event": TEXT,
            "status_code": told(CODE, "Of the last attempt."),
            "endpoint": told(TEXT, 'Of the last attempt; "" before the first.'),
            "retry_count": COUNT,
            **same(nullable(UUID), "case_id", "individual_id", "company_id"),
            "webhook_id": UUID,
            "created_at": MOMENT,
            "last_attempt_at": nullable(MOMENT),
            "payload": told(mapping({}), "Of the last attempt; empty once it was removed."),
            "next_retry_at": nullable(MOMENT),
            "attempts": told(listing(ref("Attempt")), "The newest first."),
            "state": one_of(STATES),
            "reason": nullable(TEXT),
        }
    ),
    "Retried": obj(same(listing(UUID), "retried", "left_alone")),
    "CatalogueEvent": obj(
        {
            **same(TEXT, "name", "family", "when", "entity"),
            "arises": FLAG,
            "main_event": nullable(TEXT),
            **same(listing(TEXT), "stands_for", "context"),
            "schema": nullable(mapping({})),
            "example": nullable(mapping({})),
        }
    ),
    "EventPage": obj(
        {
            "data": listing(ref("CatalogueEvent")),
            "pagination": ref("Pagination"),
            "$defs": told(mapping({"type": "object"}), "What the schemas of this page refer to."),
        }
    ),
}
COMMON: dict[str, Schema] = {
    "Ping": obj({"workspace_name": TEXT}),
    "Pagination": obj(
        {
            "limit": COUNT,
            "count": told(COUNT, "Of all pages; of very many, as far as there was need to look."),
        },
        {
            "page": told(COUNT, "Absent behind a cursor."),
            "next_cursor": told(nullable(TEXT), "For `cursor`; null at the end, absent where there are no cursors."),
        },
    ),
    "FieldError": obj(
        {
            "field": told(nullable(TEXT), "Such as `individuals.0.birth_date`; null where no single one is to blame."),
            **same(TEXT, "code", "message"),
        }
    ),
    "Error": obj(
        {
            "status_code": {"type": "integer"},
            "timestamp": MOMENT,
            "code": told(TEXT, "Such as NOT_FOUND."),
            "message": told(TEXT, "A sentence for people."),
        },
        {"errors": listing(ref("FieldError"))},
    ),
}
DEFINITIONS: dict[str, Schema] = {**COMMON, **CASES, **CHECKS, **WEBHOOKS}


def page_of(name: str) -> Schema:
    return obj({"data": listing(ref(name)), "pagination": ref("Pagination")})
