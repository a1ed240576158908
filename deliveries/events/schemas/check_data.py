"""What `data` of a check holds beside `result` and `review`, type by type. All names and words are Dotfile's."""

from __future__ import annotations

from checks.models import CheckType, HitStatus, ListType

from .words import (
    COUNTRY,
    DAY,
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
    only,
    ref,
    same,
)

MAYBE = nullable(TEXT)
OUTCOME = nullable(one_of(("approved", "rejected", "error")))
LISTS = listing(one_of(ListType.values))
AUTOMATIC = same(FLAG, "automatic_approval", "automatic_rejection")
IDENTITY_PAPERS = ("passport", "identity_card", "driving_license", "residence_permit", "visa", "other")
ALERTS = (
    *("financial_changes", "legal_and_compliance", "company_status", "operational_changes", "debt_and_collection"),
    *("shareholder_changes", "other"),
)
ANALYSIS = obj(
    {"model": one_of(("registration_certificate", "iban", "proof_of_address", "prompt"))},
    {
        "authorized_documents": nullable(listing(TEXT)),
        "max_age_in_days": nullable({"type": "integer"}),
        **same(FLAG, "iban_matching", "bic_matching"),
        "prompt": TEXT,
    },
)
NETWORK = nullable(obj(same(MAYBE, "operator", "country")))
GENUINE = obj(
    same(
        OUTCOME,
        *("data_validation", "data_consistency", "image_integrity", "visual_authenticity", "compromised_document"),
        "data_comparison",
    )
)
PAPER: dict[str, Schema] = {
    "document_type": nullable(one_of(IDENTITY_PAPERS)),
    **same(MAYBE, "document_number", "first_name", "last_name", "gender", "front_file_id", "back_file_id"),
    **same(nullable(COUNTRY), "nationality", "birth_country", "issuing_country"),
    **same(nullable(DAY), "birth_date", "expiration_date", "issuing_date"),
}
PERSON: dict[str, Schema] = {**same(MAYBE, "first_name", "last_name", "birth_date"), "address": ref("Address")}

AML: dict[str, Schema] = {
    "settings": obj(
        {
            "vendor": only("comply_advantage"),
            "fuzziness": NUMBER,
            "exact_match": FLAG,
            "list_types": nullable(listing(one_of(ListType.values[:5]))),
            "profile_id": MAYBE,
            "enable_entity_filter": FLAG,
        }
    ),
    "vendor": obj(
        {
            "name": only("comply_advantage"),
            "is_search_monitored": FLAG,
            "created_at": MOMENT,
            **same(TEXT, "search_url", "search_id", "search_ref"),
        }
    ),
    "match_status": one_of(HitStatus.values),
    "hits_list_types": LISTS,
    "hits": listing(ref("AmlHit")),
}
AML_HIT = obj(
    {
        "id": UUID,
        "name": TEXT,
        "list_types": LISTS,
        "status": one_of(HitStatus.values),
        "review": ref("Review"),
        "vendor": obj(
            {
                "name": only("comply_advantage"),
                "hit_id": TEXT,
                "updated_by_monitoring_status": nullable(one_of(("new", "updated", "removed"))),
                "updated_by_monitoring_at": nullable(MOMENT),
            }
        ),
    }
)
COMPANY_MONITORING: dict[str, Schema] = {
    "settings": obj({"alert_categories": listing(one_of(ALERTS))}),
    "vendor": obj({"name": only("creditsafe"), "is_monitored": FLAG}),
}
DOCUMENT: dict[str, Schema] = {
    "settings": obj(
        {
            "document_type": obj(
                {
                    "id": UUID,
                    **same(TEXT, "label", "key"),
                    "target_entities": listing(one_of(("company", "individual"))),
                    "is_internal": FLAG,
                    **same(MOMENT, "created_at", "updated_at"),
                    "archived_at": nullable(MOMENT),
                }
            ),
            "document_type_key": TEXT,
            "document_analysis": nullable(
                obj({**AUTOMATIC, "parameters": nullable(ANALYSIS)}),
            ),
        }
    ),
    "detailed_results": obj(
        {
            "document_analysis": nullable(
                mapping(obj({"result": OUTCOME, **same(MAYBE, "expected", "received")})),
            )
        }
    ),
    "document_file_ids": listing(UUID),
    "information": obj({"expiration_date": nullable(DAY), "document_analysis": nullable({"type": "object"})}),
}
EKYC: dict[str, Schema] = {
    "decision": nullable(one_of(("match", "inconclusive", "inconsistent"))),
    "settings": obj({"vendor": only("gbg"), **AUTOMATIC}),
    "vendor": obj(
        {
            "name": only("gbg"),
            "profile_id": TEXT,
            "profile_name": MAYBE,
            "country": COUNTRY,
            "score": nullable(NUMBER),
        }
    ),
    "information": obj(PERSON),
    "ai": obj({"interpretation": MAYBE}),
    "fraud_signals": nullable(ref("FraudSignals")),
}
RULES = listing(obj(same(TEXT, "code", "description")))
FRAUD_SIGNALS = obj(
    {
        "trust": nullable(obj({"score": nullable(NUMBER), "band": MAYBE, "triggered_rules": RULES})),
        "fraud_score": nullable(obj({"score": nullable(NUMBER), "band": MAYBE, "labels": listing(TEXT)})),
        "email_verification": nullable(
            obj(
                {
                    "risk_score": nullable(NUMBER),
                    **same(MAYBE, "risk_band", "risk_level", "email_first_seen", "domain_first_seen", "domain_country"),
                    "mailbox_missing": nullable(FLAG),
                }
            )
        ),
        "email_validation": nullable(obj({"address_valid": nullable(FLAG), "bounce_risk": MAYBE})),
        "mobile_validation": nullable(
            obj(
                {
                    "number_valid": nullable(FLAG),
                    "line_type": MAYBE,
                    **same(NETWORK, "current_network", "original_network"),
                }
            )
        ),
    }
)
ELECTRONIC_SIGNATURE: dict[str, Schema] = {
    "settings": obj({"document_template_key": TEXT, "automatic_approval": FLAG}),
    "vendor": obj(
        {
            "name": only("yousign"),
            **same(MAYBE, "status", "signature_request_ref", "signer_ref", "document_ref", "signature_link"),
            **same(nullable(MOMENT), "signature_link_expiration_date", "started_at", "ended_at"),
        }
    ),
    "information": obj(same(MAYBE, "audit_trail_id", "file_id", "signed_file_id")),
}
FRAUD_DATABASE: dict[str, Schema] = {
    "settings": obj({"vendor": only("cifas"), **AUTOMATIC}),
    "vendor": obj({"name": only("cifas"), "search_reference": MAYBE}),
    "information": obj(
        {
            "entity_type": one_of(("company", "individual")),
            **PERSON,
            **same(MAYBE, "email", "phone_number", "company_name", "company_number", "vat_number"),
        }
    ),
    "ai_analysis": obj({"interpretation": MAYBE}),
}
ID_DOCUMENT: dict[str, Schema] = {
    "settings": obj({"vendor": one_of(("veriff", "idnow")), **AUTOMATIC}),
    "vendor": obj(
        {
            "name": one_of(("veriff", "idnow")),
            **same(MAYBE, "verification_ref", "verification_group_ref", "verification_status", "comment"),
            "started_at": nullable(MOMENT),
        }
    ),
    "detailed_results": obj({"document": GENUINE}),
    "information": obj({**PAPER, "maiden_name": MAYBE}),
}
VENDORS = one_of(("ubble", "checkout", "veriff", "onfido", "idnow"))
ID_VERIFICATION: dict[str, Schema] = {
    "settings": obj(
        {
            **AUTOMATIC,
            "vendor": VENDORS,
            "mode": one_of(("liveness", "auto", "expert", "certified", "default")),
            "redirect_url": TEXT,
        }
    ),
    "vendor": obj(
        {
            "name": VENDORS,
            **same(TEXT, "verification_ref", "verification_url", "verification_status"),
            **same(nullable(MOMENT), "started_at", "ended_at"),
            **same(MAYBE, "comment", "report_file_id"),
        },
        {"sdk_token": MAYBE},
    ),
    "detailed_results": obj(
        {
            "document": GENUINE,
            "face": obj(same(OUTCOME, "face_comparison", "image_integrity", "visual_authenticity")),
        }
    ),
    "information": obj(
        {
            **PAPER,
            **same(MAYBE, "birth_place", "mrz", "ip_address", "signature_file_id", "face_file_id", "video_file_id"),
        }
    ),
}
ONLINE_REPUTATION: dict[str, Schema] = {
    "information": obj(
        {
            **same(MAYBE, "report", "summary"),
            "sources": nullable(listing(obj(same(TEXT, "title", "url")))),
            "company": obj(
                {
                    "name": TEXT,
                    **same(MAYBE, "commercial_name", "country", "registration_number", "website_url"),
                }
            ),
        }
    ),
}

DATA: dict[str, dict[str, Schema]] = {
    CheckType.ID_VERIFICATION: ID_VERIFICATION,
    CheckType.ID_DOCUMENT: ID_DOCUMENT,
    CheckType.AML: AML,
    CheckType.COMPANY_MONITORING: COMPANY_MONITORING,
    CheckType.DOCUMENT: DOCUMENT,
    CheckType.EKYC: EKYC,
    CheckType.ELECTRONIC_SIGNATURE: ELECTRONIC_SIGNATURE,
    CheckType.FRAUD_DATABASE: FRAUD_DATABASE,
    CheckType.ONLINE_REPUTATION: ONLINE_REPUTATION,
}
"""What the data of each type hold beside `result` and `review`."""
