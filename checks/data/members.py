"""What the data of each type of check may hold: the members that Dotfile's schemas have, each with its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.models.choices import ReviewerType
from cases.models.values import ADDRESS
from checks import aml
from checks.choices import CheckType, EntityType, HitStatus, ListType, Result

from .kinds import (
    ANY_OBJECT,
    COUNTRY,
    DAY,
    FLAG,
    MOMENT,
    NOTHING,
    NUMBER,
    TEXT,
    UUID,
    Kind,
    ListOf,
    Object,
    Shape,
    or_null,
    refuse,
    word,
)
from .settings import SETTINGS, Setting


def _nullable(kind: Shape, *names: str) -> dict[str, Shape]:
    return dict.fromkeys(names, or_null(kind))


def _texts(*names: str) -> dict[str, Shape]:
    return _nullable(TEXT, *names)


def _countries(*names: str) -> dict[str, Shape]:
    return _nullable(COUNTRY, *names)


def _of_setting(setting: Setting) -> Kind:
    # A row may be older than the rule that it has a key.
    return Kind(lambda value: setting.fits(value) or (setting.required and value == ""), setting.kind)


def _vendor(kind: CheckType, **more: Shape) -> Object:
    return Object({"name": _of_setting(SETTINGS[kind]["vendor"]), **more})


_RESULT = or_null(word(Result.values))
_LISTS = ListOf(word(ListType.values))
_USER = Object({"id": UUID, "first_name": TEXT, "last_name": TEXT, "email": TEXT}, is_whole=True)
_REVIEW = Object(
    {
        "comment": or_null(TEXT),
        "reviewed_at": or_null(MOMENT),
        "reviewer_type": or_null(word(ReviewerType.values)),
        "user": or_null(_USER),
    }
)
_ADDRESS = Object(_texts(*ADDRESS) | _countries("country"))
_INTERPRETATION = Object(_texts("interpretation"))

_HIT = Object(
    {
        "id": UUID,
        "name": TEXT,
        "list_types": _LISTS,
        "status": word(HitStatus.values),
        "review": _REVIEW,
        "vendor": Object(
            {
                "name": word([aml.VENDOR]),
                "hit_id": TEXT,
                "updated_by_monitoring_status": or_null(word(["new", "updated", "removed"])),
                "updated_by_monitoring_at": or_null(MOMENT),
            },
            is_whole=True,
        ),
    },
    is_whole=True,
)
_DOCUMENT_TYPE = Object(
    {
        "id": UUID,
        "key": TEXT,
        "label": TEXT,
        "target_entities": ListOf(word(EntityType.values)),
        "is_internal": FLAG,
        "created_at": MOMENT,
        "updated_at": MOMENT,
        "archived_at": or_null(MOMENT),
    },
    is_whole=True,
    may_be_null=True,
)
_NETWORK = or_null(Object(_texts("operator", "country"), is_whole=True))


def _signal(**members: Shape) -> Shape:
    """Of fraud: nothing is known of it at the beginning, then all of it."""
    return Object(members, is_whole=True, may_be_null=True)


_FRAUD_SIGNALS = _signal(
    trust=_signal(
        score=or_null(NUMBER),
        band=or_null(TEXT),
        triggered_rules=ListOf(Object({"code": TEXT, "description": TEXT}, is_whole=True)),
    ),
    fraud_score=_signal(score=or_null(NUMBER), band=or_null(TEXT), labels=ListOf(TEXT)),
    email_verification=_signal(
        risk_score=or_null(NUMBER),
        mailbox_missing=or_null(FLAG),
        **_texts("risk_band", "risk_level", "email_first_seen", "domain_first_seen", "domain_country"),
    ),
    email_validation=_signal(address_valid=or_null(FLAG), bounce_risk=or_null(TEXT)),
    mobile_validation=_signal(
        number_valid=or_null(FLAG), line_type=or_null(TEXT), current_network=_NETWORK, original_network=_NETWORK
    ),
)
_DOCUMENT_RESULTS = Object(
    _nullable(
        word(Result.values),
        "data_validation",
        "data_consistency",
        "image_integrity",
        "visual_authenticity",
        "compromised_document",
        "data_comparison",
    )
)
_FACE_RESULTS = Object(
    _nullable(word(Result.values), "face_comparison", "image_integrity", "visual_authenticity"),
)
_IDENTITY: Mapping[str, Shape] = {
    "document_type": or_null(
        word(["passport", "identity_card", "driving_license", "residence_permit", "visa", "other"])
    ),
    **_texts("document_number", "first_name", "last_name", "gender", "front_file_id", "back_file_id"),
    **_countries("nationality", "birth_country", "issuing_country"),
    **_nullable(DAY, "birth_date", "expiration_date", "issuing_date"),
}
_SIGNATURE = ("status", "signature_request_ref", "signer_ref", "document_ref", "signature_link")
_ON_VIDEO = ("birth_place", "mrz", "ip_address", "signature_file_id", "face_file_id", "video_file_id")
_SUBJECT = ("first_name", "last_name", "birth_date", "email", "phone_number")
_COMPANY = ("commercial_name", "country", "registration_number", "website_url")

_MEMBERS: Mapping[str, Mapping[str, Shape]] = {
    CheckType.AML: {
        "vendor": _vendor(
            CheckType.AML, is_search_monitored=FLAG, created_at=MOMENT, search_url=TEXT, search_id=TEXT, search_ref=TEXT
        ),
        "match_status": word(HitStatus.values),
        "hits_list_types": _LISTS,
        "hits": ListOf(_HIT),
    },
    CheckType.COMPANY_MONITORING: {"vendor": Object({"name": word(["creditsafe"]), "is_monitored": FLAG})},
    CheckType.DOCUMENT: {
        "detailed_results": Object({"document_analysis": or_null(ANY_OBJECT)}),
        "document_file_ids": ListOf(UUID),
        "information": Object({"expiration_date": or_null(DAY), "document_analysis": or_null(ANY_OBJECT)}),
    },
    CheckType.EKYC: {
        "decision": or_null(word(["match", "inconclusive", "inconsistent"])),
        "vendor": _vendor(
            CheckType.EKYC, profile_id=TEXT, profile_name=or_null(TEXT), country=COUNTRY, score=or_null(NUMBER)
        ),
        "information": Object({**_texts("first_name", "last_name", "birth_date"), "address": _ADDRESS}),
        "ai": _INTERPRETATION,
        "fraud_signals": _FRAUD_SIGNALS,
    },
    CheckType.ELECTRONIC_SIGNATURE: {
        "vendor": Object(
            {
                "name": word(["yousign"]),
                **_texts(*_SIGNATURE),
                **_nullable(MOMENT, "signature_link_expiration_date", "started_at", "ended_at"),
            }
        ),
        "information": Object(_texts("audit_trail_id", "file_id", "signed_file_id")),
    },
    CheckType.FRAUD_DATABASE: {
        "vendor": _vendor(CheckType.FRAUD_DATABASE, search_reference=or_null(TEXT)),
        "information": Object(
            {
                "entity_type": word(EntityType.values),
                **_texts(*_SUBJECT, "company_name", "company_number", "vat_number"),
                "address": _ADDRESS,
            }
        ),
        "ai_analysis": _INTERPRETATION,
    },
    CheckType.ID_DOCUMENT: {
        "vendor": _vendor(
            CheckType.ID_DOCUMENT,
            started_at=or_null(MOMENT),
            **_texts("verification_ref", "verification_group_ref", "verification_status", "comment"),
        ),
        "detailed_results": Object({"document": _DOCUMENT_RESULTS}),
        "information": Object({**_IDENTITY, **_texts("maiden_name")}),
    },
    CheckType.ID_VERIFICATION: {
        "vendor": _vendor(
            CheckType.ID_VERIFICATION,
            verification_ref=TEXT,
            verification_url=TEXT,
            verification_status=TEXT,
            **_nullable(MOMENT, "started_at", "ended_at"),
            **_texts("comment", "report_file_id", "sdk_token"),
        ),
        "detailed_results": Object({"document": _DOCUMENT_RESULTS, "face": _FACE_RESULTS}),
        "information": Object({**_IDENTITY, **_texts(*_ON_VIDEO)}),
    },
    CheckType.ONLINE_REPUTATION: {
        "information": Object(
            {
                **_texts("report", "summary"),
                "sources": or_null(ListOf(Object({"title": TEXT, "url": TEXT}, is_whole=True))),
                "company": Object({"name": TEXT, **_texts(*_COMPANY)}),
            }
        )
    },
}


def _settings(kind: str) -> dict[str, Shape]:
    known: dict[str, Shape] = {name: _of_setting(setting) for name, setting in SETTINGS[kind].items()}
    if kind == CheckType.DOCUMENT:
        known["document_type"] = _DOCUMENT_TYPE
    return {} if kind == CheckType.ONLINE_REPUTATION else {"settings": Object(known)}


SHAPES: Mapping[str, Object] = {
    kind: Object({"result": _RESULT, **_settings(kind), "review": _REVIEW, **members})
    for kind, members in _MEMBERS.items()
}


def refuse_members(kind: str, given: Any, before: Any = NOTHING) -> None:
    """Raises ValidationError with a sentence for what data of this type of check cannot hold: receivers' schemas would
    break. What it held before stays.
    """
    refuse(SHAPES[kind], given, before)
