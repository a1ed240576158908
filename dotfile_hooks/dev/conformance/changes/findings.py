"""What vendors find out, by type of check; of types that are not named here they find nothing but a result."""

from __future__ import annotations

from typing import Any

from checks.models import CheckType

from .cases import ADDRESS

FILE = "3a3a5a3c-4f0e-4d8c-9a43-3f6f8f9d2b11"
MOMENT = "2023-01-31T13:30:00.000Z"
PAPER: dict[str, Any] = {
    "document_type": "passport",
    "document_number": "12AB34567",
    "first_name": "John",
    "last_name": "CARTER",
    "gender": "M",
    "nationality": "FR",
    "birth_date": "1990-07-03",
    "birth_country": "FR",
    "expiration_date": "2033-07-02",
    "issuing_date": "2023-07-03",
    "issuing_country": "FR",
    "front_file_id": FILE,
}
FOUND: dict[CheckType, dict[str, Any]] = {
    CheckType.ID_VERIFICATION: {
        "information": {**PAPER, "birth_place": "Bayonne", "ip_address": "192.0.2.1", "face_file_id": FILE},
        "detailed_results": {"face": {"face_comparison": "approved"}},
        "vendor": {"verification_status": "approved", "started_at": MOMENT, "ended_at": MOMENT},
    },
    CheckType.ID_DOCUMENT: {
        "information": {**PAPER, "maiden_name": "MILLER"},
        "detailed_results": {"document": {"data_validation": "approved"}},
        "vendor": {"verification_ref": "ref-1", "started_at": MOMENT},
    },
    CheckType.EKYC: {
        "decision": "match",
        "information": {"address": ADDRESS},
        "ai": {"interpretation": "All agrees."},
        "vendor": {"profile_id": "profile-1", "profile_name": "France", "score": 2122},
    },
    CheckType.ELECTRONIC_SIGNATURE: {
        "vendor": {"status": "done", "signature_link": "https://example.com/sign", "started_at": MOMENT},
        "information": {"audit_trail_id": FILE, "signed_file_id": FILE},
    },
    CheckType.FRAUD_DATABASE: {
        "vendor": {"search_reference": "search-1"},
        "ai_analysis": {"interpretation": "Nothing."},
    },
    CheckType.ONLINE_REPUTATION: {
        "information": {
            "report": "Spotless.",
            "summary": "Spotless.",
            "sources": [{"title": "News", "url": "https://example.com/news"}],
        },
    },
    CheckType.DOCUMENT: {"information": {"expiration_date": "2033-07-02"}, "document_file_ids": [FILE]},
}
