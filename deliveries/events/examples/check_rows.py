"""A check of each type, as the database would give it."""

from __future__ import annotations

from checks.models import ABOUT_COMPANIES, CheckType

from .rows import ADDRESS, COMPANY, INDIVIDUAL, TIMES, USER, Json, key

AT = "2026-02-03T09:15:42.128Z"
NAME: Json = {name: INDIVIDUAL[name] for name in ("first_name", "last_name")}
PERSON: Json = {**NAME, "birth_date": "1990-07-03", "address": {"street_address_2": None, "state": None, **ADDRESS}}
AUTOMATIC: Json = {"automatic_approval": True, "automatic_rejection": False}
REVIEW: Json = {"comment": "All is in order.", "reviewed_at": AT, "reviewer_type": "user", "user": USER}
NO_REVIEW: Json = dict.fromkeys(REVIEW)
PASSPORT: Json = {
    **NAME,
    "document_type": "passport",
    "document_number": "12AB34567",
    "gender": "male",
    "nationality": "FR",
    "birth_date": "1990-07-03",
    "birth_country": "FR",
    "expiration_date": "2031-05-17",
    "issuing_date": "2021-05-18",
    "issuing_country": "FR",
    "front_file_id": key(20),
    "back_file_id": None,
}
GENUINE: Json = dict.fromkeys(
    ("data_validation", "data_consistency", "image_integrity", "visual_authenticity", "compromised_document")
    + ("data_comparison",),
    "approved",
)  # fmt: skip

HIT: Json = {
    "id": key(21),
    "name": "John Carter",
    "list_types": ["pep"],
    "status": "potential_match",
    "review": NO_REVIEW,
    "vendor": {
        "name": "comply_advantage",
        "hit_id": key(21),
        "updated_by_monitoring_status": None,
        "updated_by_monitoring_at": None,
    },
}
IGNORED: Json = HIT | {"status": "false_positive", "review": REVIEW | {"comment": "Another date of birth."}}
AML: Json = {
    "settings": {
        "vendor": "comply_advantage",
        "fuzziness": 0.5,
        "exact_match": False,
        "list_types": ["sanction", "warning", "fitness_probity", "pep"],
        "profile_id": None,
        "enable_entity_filter": True,
    },
    "vendor": {
        "name": "comply_advantage",
        "is_search_monitored": True,
        "created_at": AT,
        "search_url": "",
        "search_id": key(10),
        "search_ref": key(10),
    },
    "match_status": "no_match",
    "hits_list_types": [],
    "hits": [],
}
AML_AT: dict[str, Json] = {
    "in_progress": AML,
    "need_review": {**AML, "match_status": "potential_match", "hits_list_types": ["pep"], "hits": [HIT]},
}
"""What is known of an AML check that is not decided."""
DOCUMENT: Json = {
    "settings": {
        "document_type": {
            "id": key(22),
            "label": "Passport",
            "key": "passport",
            "target_entities": ["individual"],
            "is_internal": False,
            "created_at": AT,
            "updated_at": AT,
            "archived_at": None,
        },
        "document_type_key": "passport",
        "document_analysis": None,
    },
    "detailed_results": {"document_analysis": None},
    "document_file_ids": [key(15)],
    "information": {"expiration_date": "2031-05-17", "document_analysis": None},
}
EKYC: Json = {
    "decision": "match",
    "settings": {"vendor": "gbg", **AUTOMATIC},
    "vendor": {"name": "gbg", "profile_id": key(23), "profile_name": "France", "country": "FR", "score": 2},
    "information": PERSON,
    "ai": {"interpretation": None},
    "fraud_signals": dict.fromkeys(
        ("trust", "fraud_score", "email_verification", "email_validation", "mobile_validation")
    ),
}
ELECTRONIC_SIGNATURE: Json = {
    "settings": {"document_template_key": "mandate", "automatic_approval": True},
    "vendor": {
        "name": "yousign",
        "status": "done",
        "signature_request_ref": key(24),
        "signer_ref": key(25),
        "document_ref": key(26),
        "signature_link": None,
        "signature_link_expiration_date": None,
        "started_at": AT,
        "ended_at": AT,
    },
    "information": {"audit_trail_id": key(27), "file_id": key(28), "signed_file_id": key(29)},
}
FRAUD_DATABASE: Json = {
    "settings": {"vendor": "cifas", **AUTOMATIC},
    "vendor": {"name": "cifas", "search_reference": "4711"},
    "information": {
        **PERSON,
        "entity_type": "individual",
        "email": INDIVIDUAL["email"],
        "phone_number": INDIVIDUAL["phone_number"],
        "company_name": None,
        "company_number": None,
        "vat_number": None,
    },
    "ai_analysis": {"interpretation": None},
}
ID_DOCUMENT: Json = {
    "settings": {"vendor": "veriff", **AUTOMATIC},
    "vendor": {
        "name": "veriff",
        "verification_ref": key(30),
        "verification_group_ref": None,
        "verification_status": "approved",
        "comment": None,
        "started_at": AT,
    },
    "detailed_results": {"document": GENUINE},
    "information": {**PASSPORT, "maiden_name": None},
}
ID_VERIFICATION: Json = {
    "settings": {"vendor": "ubble", "mode": "auto", "redirect_url": "https://example.com/done", **AUTOMATIC},
    "vendor": {
        "name": "ubble",
        "verification_ref": key(31),
        "verification_url": "https://id.example.com/31",
        "verification_status": "approved",
        "comment": None,
        "report_file_id": key(32),
        "started_at": AT,
        "ended_at": AT,
    },
    "detailed_results": {
        "document": GENUINE,
        "face": dict.fromkeys(("face_comparison", "image_integrity", "visual_authenticity"), "approved"),
    },
    "information": {
        **PASSPORT,
        "birth_place": "Bayonne",
        "mrz": None,
        "ip_address": "192.0.2.1",
        "signature_file_id": None,
        "face_file_id": key(33),
        "video_file_id": None,
    },
}
DECIDED: dict[str, Json] = {
    CheckType.ID_VERIFICATION: ID_VERIFICATION,
    CheckType.ID_DOCUMENT: ID_DOCUMENT,
    CheckType.AML: {**AML, "match_status": "false_positive", "hits_list_types": ["pep"], "hits": [IGNORED]},
    CheckType.COMPANY_MONITORING: {
        "settings": {"alert_categories": ["company_status", "shareholder_changes"]},
        "vendor": {"name": "creditsafe", "is_monitored": True},
    },
    CheckType.DOCUMENT: DOCUMENT,
    CheckType.EKYC: EKYC,
    CheckType.ELECTRONIC_SIGNATURE: ELECTRONIC_SIGNATURE,
    CheckType.FRAUD_DATABASE: FRAUD_DATABASE,
    CheckType.ONLINE_REPUTATION: {
        "information": {
            "report": "Nothing speaks against it.",
            "summary": None,
            "sources": [{"title": "Register", "url": "https://example.com/register"}],
            "company": {
                name: COMPANY[name] or None
                for name in ("name", "commercial_name", "country", "registration_number", "website_url")
            },
        },
    },
}
"""What is known of a check that somebody decided on, beside the verdict."""

SUBTYPES: dict[str, str] = {
    CheckType.DOCUMENT: "document_type:passport",
    CheckType.ELECTRONIC_SIGNATURE: "document_template:mandate",
}
RESULTS: dict[str, str] = {"approved": "approved", "rejected": "rejected", "expired": "approved"}


def row(kind: str, status: str) -> Json:
    """Without a result it has no review, either."""
    found = AML_AT.get(status, DECIDED[kind]) if kind == CheckType.AML else DECIDED[kind]
    result, of_company = RESULTS.get(status), kind in ABOUT_COMPANIES
    return {
        "id": key(10),
        "individual_id": None if of_company else key(8),
        "company_id": key(9) if of_company else None,
        "is_internal": False,
        "status": status,
        "type": kind,
        "subtype": SUBTYPES.get(kind, ""),
        "document_type_key": "passport" if kind == CheckType.DOCUMENT else "",
        "data": {"result": result, "review": REVIEW if result else NO_REVIEW, **found},
        **TIMES,
    }
