"""Bodies of requests, for the API's description. A test sends each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cases.api.examples import ID
from checks.choices import CheckType

Json = dict[str, Any]

_PERSON: Json = {"individual_id": ID}
CHECKS: Mapping[str, Json] = {
    CheckType.AML: {**_PERSON, "settings": {"fuzziness": 0.5, "list_types": ["sanction", "pep"]}},
    CheckType.DOCUMENT: {**_PERSON, "settings": {"document_type_key": "proof_of_address"}},
    CheckType.EKYC: {**_PERSON, "settings": {"automatic_approval": True}},
    CheckType.ELECTRONIC_SIGNATURE: {**_PERSON, "settings": {"document_template_key": "contract"}},
    CheckType.FRAUD_DATABASE: {**_PERSON, "settings": {"automatic_rejection": False}},
    CheckType.ID_DOCUMENT: {**_PERSON, "settings": {"vendor": "idnow"}},
    CheckType.ID_VERIFICATION: {**_PERSON, "settings": {"redirect_url": "https://example.com/done"}},
    CheckType.ONLINE_REPUTATION: {"company_id": ID},
}
REVIEW: Json = {"action": "approve", "comment": "All is in order."}
HITS_REVIEW: Json = {"action": "ignore", "comment": "Another person of this name.", "hit_ids": ["hit-1"]}
MONITORING: Json = {"is_monitored": True}
FILES: Json = {"files": [{"upload_ref": ID}]}
SIDES: Json = {"front_upload_ref": ID, "back_upload_ref": ID}
