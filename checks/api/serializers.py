"""Bodies of the API for checks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from cases.models import Company, Individual
from checks.aml import HITS_PER_REVIEW, SETTINGS
from workspaces.api import fields

Attrs = dict[str, Any]
# The lists that a search can be told to use; the vendor may still report others.
SEARCHABLE = ("sanction", "warning", "fitness_probity", "pep", "adverse_media")


class AmlSettingsSerializer(serializers.Serializer[Attrs]):
    fuzziness = fields.Number(min_value=0, max_value=1, required=False)
    exact_match = fields.Flag(required=False)
    list_types = fields.StrictList(child=fields.Word(choices=SEARCHABLE), required=False)
    enable_entity_filter = fields.Flag(required=False)

    def validate(self, attrs: Attrs) -> Attrs:
        return {name: attrs.get(name, default) for name, default in SETTINGS.items()}


class AmlCreateSerializer(serializers.Serializer[Attrs]):
    individual_id = fields.Own(Individual.objects.all(), "case__workspace", required=False, allow_null=True)
    company_id = fields.Own(Company.objects.all(), "case__workspace", required=False, allow_null=True)
    settings = AmlSettingsSerializer(required=False)

    def validate(self, attrs: Attrs) -> Attrs:
        subjects = [subject for name in ("individual_id", "company_id") if (subject := attrs.pop(name, None))]
        if len(subjects) != 1:
            raise serializers.ValidationError({"individual_id": "Give either individual_id or company_id."})
        return {"subject": subjects[0], "settings": attrs.get("settings", {})}


class ReviewSerializer(serializers.Serializer[Attrs]):
    action = fields.Word(choices=("approve", "reject"))
    comment = fields.OptionalText(max_length=10_000)
    override = fields.Flag(required=False)


class HitsReviewSerializer(serializers.Serializer[Attrs]):
    action = fields.Word(choices=("confirm", "ignore"))
    comment = fields.OptionalText(max_length=10_000)
    hit_ids = fields.StrictList(child=fields.Text(), allow_empty=False, max_length=HITS_PER_REVIEW)
