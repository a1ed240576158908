"""Bodies of the API for checks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone
from rest_framework import serializers

from cases.models import Company, Individual
from checks.aml import HITS_PER_REVIEW, SETTINGS
from checks.choices import ABOUT_COMPANIES, ABOUT_INDIVIDUALS, SEARCHABLE, CheckType
from checks.data import settings as known_settings
from checks.models import Upload
from workspaces.api import fields

Attrs = dict[str, Any]
FILES_PER_REQUEST = 10
"""Dotfile's limit."""
COMMENT_LENGTH = 10_000


class AmlSettingsSerializer(serializers.Serializer[Attrs]):
    fuzziness = fields.Number(min_value=0, max_value=1, required=False)
    exact_match = fields.Flag(required=False)
    list_types = fields.StrictList(child=fields.Word(choices=SEARCHABLE), required=False)
    enable_entity_filter = fields.Flag(required=False)

    def validate(self, attrs: Attrs) -> Attrs:
        return {name: attrs.get(name, default) for name, default in SETTINGS.items()}


class Settings(serializers.Field[Attrs, Any, Any, Any]):
    """Settings of a type, by the rules of its data; only those in `names`, if given. Others are not read."""

    default_error_messages = {
        "invalid": "This must be an object.",
        "missing": "This field is required: {kind}.",
        "unfit": "This must be {kind}.",
    }

    def __init__(self, kind: CheckType, names: Collection[str] | None = None, **kwargs: Any) -> None:
        known = known_settings.SETTINGS[kind]
        self.known = {name: known[name] for name in (known if names is None else names)}
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Attrs:
        if not isinstance(data, dict):
            self.fail("invalid")
        errors = {name: message for name in self.known if (message := self._complaint(name, data))}
        if errors:
            raise serializers.ValidationError(errors)
        return {name: data[name] for name in self.known if name in data}

    def _complaint(self, name: str, data: Attrs) -> str | None:
        setting = self.known[name]
        if name not in data:
            return self.error_messages["missing"].format(kind=setting.kind) if setting.required else None
        return None if setting.fits(data[name]) else self.error_messages["unfit"].format(kind=setting.kind)


def _given(name: str) -> Attrs:
    """In JSON Schema; null is as good as nothing."""
    return {"required": [name], "properties": {name: {"type": "string"}}}


class CheckCreateSerializer(serializers.Serializer[Attrs]):
    """Whom the check is about, as `subject`, and its settings."""

    def __init__(self, kind: CheckType, **kwargs: Any) -> None:
        self.kind = kind
        super().__init__(**kwargs)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        found = {**super().get_fields(), **self._subjects()}
        if self.kind == CheckType.AML:
            found["settings"] = AmlSettingsSerializer(required=False)
        elif known := known_settings.SETTINGS[self.kind]:
            found["settings"] = Settings(self.kind, required=any(each.required for each in known.values()))
        return found

    def _subjects(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        kinds: dict[str, type[Individual | Company]] = {"individual_id": Individual, "company_id": Company}
        if self.kind in ABOUT_COMPANIES:
            del kinds["individual_id"]
        if self.kind in ABOUT_INDIVIDUALS:
            del kinds["company_id"]
        either = len(kinds) > 1
        return {
            name: fields.Own(model.objects.all(), "case__workspace", required=not either, allow_null=either)
            for name, model in kinds.items()
        }

    @property
    def rule(self) -> Attrs:
        """Which of two subjects, in JSON Schema: one, but for fraud database checks, of which see below."""
        if {"individual_id", "company_id"} - self.fields.keys():
            return {}
        just_one = {} if self.kind == CheckType.FRAUD_DATABASE else {"then": {"not": _given("company_id")}}
        return {"if": _given("individual_id"), **just_one, "else": _given("company_id")}

    def validate(self, attrs: Attrs) -> Attrs:
        subjects = [subject for name in ("individual_id", "company_id") if (subject := attrs.pop(name, None))]
        if len(subjects) != 1 and not self._may_be_both(subjects):
            raise serializers.ValidationError({"individual_id": "Give either individual_id or company_id."})
        return {"settings": {}, **attrs, "subject": subjects[0]}

    def _may_be_both(self, subjects: Sequence[Individual | Company]) -> bool:
        """Dotfile's document requires both of a fraud database check, so that a generated client cannot but send them:
        it is about the individual, as one of that company's case.
        """
        return self.kind == CheckType.FRAUD_DATABASE and len({subject.case_id for subject in subjects}) == 1


class ReviewSerializer(serializers.Serializer[Attrs]):
    action = fields.Word(choices=("approve", "reject"))
    comment = fields.OptionalText(max_length=COMMENT_LENGTH)
    override = fields.Flag(required=False)


class HitsReviewSerializer(serializers.Serializer[Attrs]):
    action = fields.Word(choices=("confirm", "ignore"))
    comment = fields.OptionalText(max_length=COMMENT_LENGTH)
    hit_ids = fields.StrictList(child=fields.Text(), allow_empty=False, max_length=HITS_PER_REVIEW)


class MonitoringSerializer(serializers.Serializer[Attrs]):
    is_monitored = fields.Flag()


# --- Files ------------------------------------------------------------------------------------------------------------


class UploadRef(fields.Own):
    """An upload of the caller's workspace that has not expired, without its bytes."""

    default_error_messages = dict.fromkeys(
        ("invalid", "does_not_exist"), "No upload with this reference can be found; it may have expired. Upload again."
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Upload.objects.defer("content"), **kwargs)

    def get_queryset(self) -> QuerySet[Model]:
        return super().get_queryset().filter(expires_at__gt=timezone.now())


class FileSerializer(serializers.Serializer[Attrs]):
    upload_ref = UploadRef()


class FilesSerializer(serializers.Serializer[Attrs]):
    """`files` as a list of uploads."""

    files = fields.StrictList(child=FileSerializer(), max_length=FILES_PER_REQUEST)

    def validate_files(self, value: list[Attrs]) -> list[Upload]:
        return [each["upload_ref"] for each in value]


class AddFilesSerializer(FilesSerializer):
    files = fields.StrictList(child=FileSerializer(), allow_empty=False, max_length=FILES_PER_REQUEST)
    settings = Settings(CheckType.DOCUMENT, ["document_analysis"], required=False, allow_null=True)


class SidesSerializer(serializers.Serializer[Attrs]):
    front_upload_ref = UploadRef()
    back_upload_ref = UploadRef(required=False, allow_null=True)


class DocumentCreateSerializer(CheckCreateSerializer):
    data = FilesSerializer(required=False)  # type: ignore[assignment]


class IdDocumentCreateSerializer(CheckCreateSerializer):
    data = SidesSerializer(required=False)  # type: ignore[assignment]


class UploadSerializer(serializers.Serializer[Attrs]):
    file = serializers.FileField()

    def validate_file(self, value: Any) -> Any:
        if len(self.initial_data.getlist("file")) > 1:
            raise serializers.ValidationError("Send one file at a time: each has a reference of its own.")
        if not value.name.strip(". "):
            raise serializers.ValidationError("Give the file a name.")
        return value
