"""The settings of each type: what they are unless something else is said, and what may be said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from checks import aml
from checks.choices import SEARCHABLE, AlertCategory, CheckType

from .kinds import is_flag, is_number, is_text
from .parts import Json


@dataclass(frozen=True)
class Setting:
    default: Any
    fits: Callable[[Any], bool]
    kind: str
    """For people: "must be …"."""
    schema: Json
    """The same in JSON Schema, for the API's description."""
    required: bool = False


def _is_share(value: Any) -> bool:
    return is_number(value) and bool(0 <= value <= 1)


def _word(default: str, *others: str) -> Setting:
    words = (default, *others)
    schema = {"type": "string", "enum": [*words]}
    return Setting(default, lambda value: isinstance(value, str) and value in words, " or ".join(words), schema)


def _words(default: Iterable[str], words: Iterable[str]) -> Setting:
    known = list(words)
    return Setting(
        list(default),
        lambda value: isinstance(value, list) and all(isinstance(word, str) and word in known for word in value),
        f"a list with words of {', '.join(known)}",
        {"type": "array", "items": {"type": "string", "enum": known}},
    )


def _or_null(setting: Setting) -> Setting:
    schema = setting.schema | {"type": [setting.schema["type"], "null"]}
    return Setting(
        setting.default, lambda value: value is None or setting.fits(value), f"{setting.kind}, or null", schema
    )


def _key(of: str) -> Setting:
    schema = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH, "description": f"The key of {of}."}
    return Setting(
        "", lambda value: is_text(value) and 0 < len(value) <= KEY_LENGTH, f"the key of {of}", schema, required=True
    )


# Of keys of document types and templates; the subtype, which holds a prefix and the key, has room for it.
KEY_LENGTH = 200
_BOOLEAN: Json = {"type": "boolean"}
_FLAG = Setting(False, is_flag, "true or false", _BOOLEAN)
_AUTOMATIC = {"automatic_approval": _FLAG, "automatic_rejection": _FLAG}
# Of a document's analysis: the models, and which documents two of them may be told to accept.
_MODELS = ("registration_certificate", "iban", "proof_of_address", "prompt")
_AUTHORIZED = (
    *("kbis", "sirene_extract", "pappers_extract", "inscription_rne", "infonet_extract", "repertoire_metiers_extract"),
    *("handelsregister", "visura_camerale", "energy_bill", "telco_bill", "official_document", "other"),
)
# In JSON Schema.
_SHARE: Json = {"type": "number", "minimum": 0, "maximum": 1}
_TEXT_OR_NULL: Json = {"type": ["string", "null"]}
_TYPE: Json = {"type": ["object", "null"], "description": "Filled in from the key when the check starts."}
# What the models may be told: a name means the same to each that knows it, and is looked at beside every model.
_TOLD: Mapping[str, Setting] = {
    "prompt": Setting("", is_text, "text", {"type": "string"}),
    "iban_matching": _FLAG,
    "bic_matching": _FLAG,
    "authorized_documents": _or_null(_words((), _AUTHORIZED)),
    "max_age_in_days": _or_null(Setting(None, is_number, "a number", {"type": "number"})),
}
_PARAMETERS: Json = {
    "type": ["object", "null"],
    "properties": {
        "model": {"type": "string", "enum": [*_MODELS]},
        **{name: told.schema for name, told in _TOLD.items()},
    },
    "required": ["model"],
    "if": {"properties": {"model": {"const": "prompt"}}},
    "then": {"required": ["prompt"]},
}
_ANALYSIS: Json = {
    "type": ["object", "null"],
    "properties": {**dict.fromkeys(_AUTOMATIC, _BOOLEAN), "parameters": _PARAMETERS},
    "additionalProperties": False,
}


def _is_analysis(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, dict) or value.keys() - {*_AUTOMATIC, "parameters"}:
        return False
    flags = all(is_flag(value[name]) for name in _AUTOMATIC if name in value)
    return flags and _are_parameters(value.get("parameters"))


def _are_parameters(value: Any) -> bool:
    if not isinstance(value, dict):
        return value is None
    if value.get("model") not in _MODELS or value["model"] == "prompt" and "prompt" not in value:
        return False
    return all(told.fits(value[name]) for name, told in _TOLD.items() if name in value)


SETTINGS: Mapping[str, Mapping[str, Setting]] = {
    CheckType.AML: {
        "vendor": _word(aml.VENDOR),
        "fuzziness": Setting(aml.SETTINGS["fuzziness"], _is_share, "a number from 0 to 1", _SHARE),
        "exact_match": _FLAG,
        "list_types": _words(aml.SETTINGS["list_types"], SEARCHABLE),
        "profile_id": Setting(None, lambda value: value is None or is_text(value), "text or null", _TEXT_OR_NULL),
        "enable_entity_filter": Setting(aml.SETTINGS["enable_entity_filter"], is_flag, "true or false", _BOOLEAN),
    },
    CheckType.COMPANY_MONITORING: {"alert_categories": _words(AlertCategory.values, AlertCategory.values)},
    CheckType.DOCUMENT: {
        "document_type_key": _key("a document type"),
        # The type itself, filled in when the check starts.
        "document_type": Setting(
            None, lambda value: value is None or isinstance(value, dict), "a document type", _TYPE
        ),
        "document_analysis": Setting(
            None, _is_analysis, "null, or automatic_approval, -rejection and parameters", _ANALYSIS
        ),
    },
    CheckType.EKYC: {"vendor": _word("gbg"), **_AUTOMATIC},
    CheckType.ELECTRONIC_SIGNATURE: {
        "document_template_key": _key("a document template"),
        "automatic_approval": _FLAG,
    },
    CheckType.FRAUD_DATABASE: {"vendor": _word("cifas"), **_AUTOMATIC},
    CheckType.ID_DOCUMENT: {"vendor": _word("idnow", "veriff"), **_AUTOMATIC},
    CheckType.ID_VERIFICATION: {
        "vendor": _word("checkout", "idnow", "onfido", "ubble", "veriff"),
        "mode": _word("auto", "certified", "default", "expert", "liveness"),
        "redirect_url": Setting("", is_text, "a URL", {"type": "string"}),
        **_AUTOMATIC,
    },
    CheckType.ONLINE_REPUTATION: {},
}
KEYS: Mapping[str, tuple[str, str]] = {
    CheckType.DOCUMENT: ("document_type_key", "document_type:"),
    CheckType.ELECTRONIC_SIGNATURE: ("document_template_key", "document_template:"),
}
"""The setting that a check of the type cannot do without, and the beginning of the subtype that it becomes."""
# What the vendor's word alone decides where a type has no settings for it.
_UNASKED: Mapping[str, Json] = {
    CheckType.AML: {"automatic_approval": True},
    CheckType.COMPANY_MONITORING: {"automatic_approval": True},
}


def default_settings(kind: str) -> Json:
    return {name: setting.default for name, setting in SETTINGS[kind].items()}


def complete_settings(kind: str, given: Json) -> Json:
    """All settings of a check of this type. Raises ValidationError for unknown, wrong and missing ones."""
    known, label = SETTINGS[kind], CheckType(kind).label
    if unknown := sorted(given.keys() - known.keys()):
        names = ", ".join(known) or "none"
        raise ValidationError({"settings": f"{label} checks have no setting `{unknown[0]}`; they have {names}."})
    for name, setting in known.items():
        if setting.required and not given.get(name):
            raise ValidationError({"settings": f"Give `{name}`: which document this check is about."})
        if name in given and not setting.fits(given[name]):
            raise ValidationError({"settings": f"`{name}` must be {setting.kind}."})
    return _with_analysis(default_settings(kind) | given)


def _with_analysis(settings: Json) -> Json:
    if (analysis := settings.get("document_analysis")) is None:
        return settings
    complete = {"automatic_rejection": False, "automatic_approval": False, "parameters": None, **analysis}
    return settings | {"document_analysis": complete}


def automatic(kind: str, settings: Json) -> Json:
    """`automatic_approval` and `automatic_rejection`, as far as there are such settings."""
    return _UNASKED.get(kind) or settings.get("document_analysis") or settings
