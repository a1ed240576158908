"""What a check of each type says before anything is known: every key that Dotfile's schemas require."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cases.models import Company, Individual
from cases.shapes import address
from checks import aml
from checks.aml import NO_REVIEW
from checks.choices import CheckType, EntityType

from .document_types import guessed_type
from .merging import merged
from .parts import Json, nulls
from .settings import KEYS, complete_settings, default_settings

# ISO 3166 leaves it to users, who mean "unknown" by it: Dotfile's eKYC vendor always has a country.
UNKNOWN_COUNTRY = "ZZ"


@dataclass(frozen=True)
class About:
    """What the beginning of a check depends on."""

    check_id: str
    at: str
    """When it was started, as the API writes it."""
    is_company: bool
    key: str = ""
    """Of its document type or template, as the subtype has it."""
    subject: Individual | Company | None = None
    """None when nobody looks any more: the data has what was known then."""

    def fact(self, name: str) -> Any:
        """A column of the person or company; None where there is none of that name, or nothing in it."""
        value = getattr(self.subject, name, None)
        return (value.isoformat() if isinstance(value, date) else value) or None

    def facts(self, *names: str) -> Json:
        return {name: self.fact(name) for name in names}

    @property
    def country(self) -> str:
        home = (self.fact("address") or {}).get("country")
        nationalities = self.fact("nationalities") or [None]
        return home or self.fact("residence_country") or nationalities[0] or UNKNOWN_COUNTRY


# Of an identity document, and whether each came out right.
_DOCUMENT_RESULTS = nulls(
    "data_validation",
    "data_consistency",
    "image_integrity",
    "visual_authenticity",
    "compromised_document",
    "data_comparison",
)
_FACE_RESULTS = nulls("face_comparison", "image_integrity", "visual_authenticity")
_IDENTITY = nulls(
    "document_type",
    "document_number",
    "first_name",
    "last_name",
    "gender",
    "nationality",
    "birth_date",
    "birth_country",
    "expiration_date",
    "issuing_date",
    "issuing_country",
    "front_file_id",
    "back_file_id",
)
_ON_VIDEO = nulls("birth_place", "mrz", "ip_address", "signature_file_id", "face_file_id", "video_file_id")


def _aml(about: About) -> Json:
    return aml.begun(about.check_id, about.at)


def _company_monitoring(about: About) -> Json:
    return {"vendor": {"name": "creditsafe", "is_monitored": True}}


def _document(about: About) -> Json:
    return {
        "detailed_results": {"document_analysis": None},
        "document_file_ids": [],
        "information": {"expiration_date": None, "document_analysis": None},
    }


def _ekyc(about: About) -> Json:
    person = about.facts("first_name", "last_name", "birth_date")
    return {
        "decision": None,
        "vendor": {"name": "gbg", "profile_id": "", "profile_name": None, "country": about.country, "score": None},
        "information": person | {"address": address(about.fact("address"))},
        "ai": {"interpretation": None},
        "fraud_signals": None,
    }


def _electronic_signature(about: About) -> Json:
    refs = nulls("status", "signature_request_ref", "signer_ref", "document_ref", "signature_link")
    times = nulls("signature_link_expiration_date", "started_at", "ended_at")
    return {
        "vendor": {"name": "yousign", **refs, **times},
        "information": nulls("audit_trail_id", "file_id", "signed_file_id"),
    }


def _fraud_database(about: About) -> Json:
    company = {
        "company_name": about.fact("name"),
        "company_number": about.fact("registration_number"),
        "vat_number": about.fact("tax_identification_number") if about.is_company else None,
    }
    return {
        "vendor": {"name": "cifas", "search_reference": None},
        "information": {
            "entity_type": (EntityType.COMPANY if about.is_company else EntityType.INDIVIDUAL).value,
            **about.facts("first_name", "last_name", "birth_date", "email", "phone_number"),
            **company,
            "address": address(about.fact("address")),
        },
        "ai_analysis": {"interpretation": None},
    }


def _id_document(about: About) -> Json:
    refs = nulls("verification_ref", "verification_group_ref", "verification_status", "started_at", "comment")
    return {
        "vendor": {"name": "idnow", **refs},
        "detailed_results": {"document": _DOCUMENT_RESULTS},
        "information": _IDENTITY | nulls("maiden_name"),
    }


def _id_verification(about: About) -> Json:
    return {
        "vendor": {
            "name": "checkout",
            "verification_ref": about.check_id,
            "verification_url": "",
            "verification_status": "created",
            **nulls("started_at", "ended_at", "comment", "report_file_id"),
        },
        "detailed_results": {"document": _DOCUMENT_RESULTS, "face": _FACE_RESULTS},
        "information": _IDENTITY | _ON_VIDEO,
    }


def _online_reputation(about: About) -> Json:
    known = about.facts("commercial_name", "country", "registration_number", "website_url")
    found = nulls("report", "sources", "summary")
    return {"information": {**found, "company": {"name": about.fact("name") or "", **known}}}


BEGINNINGS: Mapping[str, Callable[[About], Json]] = {
    CheckType.AML: _aml,
    CheckType.COMPANY_MONITORING: _company_monitoring,
    CheckType.DOCUMENT: _document,
    CheckType.EKYC: _ekyc,
    CheckType.ELECTRONIC_SIGNATURE: _electronic_signature,
    CheckType.FRAUD_DATABASE: _fraud_database,
    CheckType.ID_DOCUMENT: _id_document,
    CheckType.ID_VERIFICATION: _id_verification,
    CheckType.ONLINE_REPUTATION: _online_reputation,
}


def begun(kind: str, about: About, given: Any) -> Json:
    """What a new check of this type says: all that it must, with what is given (its `settings`, for one) over it.

    Raises ValidationError for settings that its type does not have, or not like that.
    """
    given = given if isinstance(given, dict) else {}
    settings = given.get("settings")
    return _filled(kind, about, complete_settings(kind, settings if isinstance(settings, dict) else {}), given)


def whole(kind: str, about: About, stored: Any) -> Json:
    """What is stored, with all that it lacks: rows may be older than a key of theirs."""
    stored = stored if isinstance(stored, dict) else {}
    settings = merged(default_settings(kind), stored.get("settings"))
    if kind in KEYS:
        settings[KEYS[kind][0]] = settings[KEYS[kind][0]] or about.key
    if kind == CheckType.DOCUMENT and settings["document_type"] is None:
        settings["document_type"] = guessed_type(settings["document_type_key"], about.at)
    return _filled(kind, about, settings, stored)


def _filled(kind: str, about: About, settings: Json, data: Json) -> Json:
    known = {"result": None, "settings": settings, "review": NO_REVIEW, **BEGINNINGS[kind](about)}
    if kind == CheckType.ONLINE_REPUTATION:  # which alone has no settings
        del known["settings"]
    if chosen := settings.get("vendor"):
        known["vendor"] = known["vendor"] | {"name": chosen} | ({"sdk_token": None} if chosen == "onfido" else {})
    filled: Json = merged(known, {name: value for name, value in data.items() if name != "settings"})
    return filled
