"""What bodies of the API are made of: addresses, bank accounts, properties."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from rest_framework import serializers

from cases.models.rules import LONGEST_KEY, MOST_MEMBERS, SCORES, excess
from workspaces.api import fields
from workspaces.api.described import Hints

Attrs = dict[str, Any]


class Code(fields.Text):
    """Letters and digits; spaces are dropped, letters kept in capitals."""

    hints: ClassVar[Hints] = {"pattern": "^[A-Za-z0-9 ]+$"}
    default_error_messages = {"code": "Use letters and digits only."}

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data.replace(" ", "") if isinstance(data, str) else data).upper()
        if not (value.isascii() and value.isalnum()):
            self.fail("code")
        return value


class BankingSerializer(serializers.Serializer[Attrs]):
    """Both, also in a change: they take the place of what was there, so one alone would lose the other unsaid."""

    iban = Code(min_length=15, max_length=34, allow_null=True)
    bic = Code(min_length=8, max_length=12, allow_null=True)

    def validate(self, attrs: Attrs) -> Attrs:
        # In a PATCH, DRF asks for nothing that is missing, however deep it is.
        if missing := self.fields.keys() - attrs.keys():
            sentence = serializers.Field.default_error_messages["required"]
            raise serializers.ValidationError(dict.fromkeys(sorted(missing), sentence), code="required")
        return attrs


class AddressSerializer(serializers.Serializer[Attrs]):
    """Parts that are null or empty are not stored."""

    street_address = fields.OptionalText()
    street_address_2 = fields.OptionalText()
    postal_code = fields.OptionalText()
    city = fields.OptionalText()
    state = fields.OptionalText()
    region = fields.OptionalText()
    country = fields.Country()


class ClassificationSerializer(serializers.Serializer[Attrs]):
    type = fields.Text(max_length=255)
    code = fields.Text(max_length=255)
    description = fields.Text(max_length=1000, required=False, allow_null=True, allow_blank=True)


class Score(fields.Number):
    """A number of at most 31 bits. Whole ones stay whole: programs that expect an integer cannot read 7.0."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": SCORES[0], "max_value": SCORES[1], **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        super().to_internal_value(data)
        return data


class Property(serializers.Field[Any, Any, Any, Any]):
    """The value of a custom property: text, a number, true or false, a list of text, or null."""

    default_error_messages = {"invalid": "Use text, a number, true, false, a list of texts, or null."}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, list) and all(isinstance(item, str) for item in data):
            return data
        if isinstance(data, float) and not math.isfinite(data):
            self.fail("invalid")
        if not isinstance(data, (str, bool, int, float)):
            self.fail("invalid")
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class Members(serializers.DictField):
    """Values by key, as many and as long as the rules of cases allow.

    Forms, which send what they do not change, too, are not `limited` here: the rule itself looks at what changes.
    """

    hints: ClassVar[Hints] = {"maxProperties": MOST_MEMBERS, "propertyNames": {"maxLength": LONGEST_KEY}}

    def __init__(self, *, limited: bool = True, **kwargs: Any) -> None:
        self.limited = limited
        super().__init__(**{"required": False, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        """Before the values: to say what is wrong with each of 100,000 takes seconds."""
        if self.limited and isinstance(data, dict) and (sentence := excess(self._before(), data)):
            raise serializers.ValidationError(sentence, code="too_large")
        return super().to_internal_value(data)

    def _before(self) -> Any:
        """What the row that is updated holds, perhaps more than a new one may."""
        return getattr(getattr(self.parent, "instance", None), str(self.source), None) or {}


class Properties(Members):
    """An update changes the keys it names and leaves the others."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"child": Property(allow_null=True), **kwargs})


class Metadata(Members):
    """Text by key. An update replaces the whole."""

    def __init__(self, **kwargs: Any) -> None:
        child = fields.Text(allow_blank=True, trim_whitespace=False)
        super().__init__(**{"child": child, "allow_null": True, **kwargs})


def merged(old: Attrs | None, new: Attrs) -> Attrs:
    """`new` over `old`, without what is empty by now."""
    return {key: value for key, value in {**(old or {}), **new}.items() if value not in ("", None)}


class NoRelations(fields.StrictList):
    """An empty list."""

    hints: ClassVar[Hints] = {"maxItems": 0}


class PartySerializer(serializers.Serializer[Any]):
    """What individuals and companies have in common."""

    address = AddressSerializer(required=False)
    tax_identification_number = fields.OptionalText()
    custom_properties = Properties()
    relations = NoRelations(child=serializers.DictField(), required=False)

    def validate_relations(self, value: list[Any]) -> list[Any]:
        if value:
            raise serializers.ValidationError("Relations are not part of this API yet; leave them out.")
        return value

    def validate(self, attrs: Attrs) -> Attrs:
        attrs.pop("relations", None)
        if "address" in attrs:
            attrs["address"] = merged(getattr(self.instance, "address", None), attrs["address"])
        if "custom_properties" in attrs:
            attrs["custom_properties"] = {**self.before("custom_properties", {}), **attrs["custom_properties"]}
        return attrs

    def before(self, name: str, default: Any = None) -> Any:
        """The stored value of an update; the default for a creation."""
        return default if self.instance is None else getattr(self.instance, name)
