"""Bodies of the API for cases and parties: what they may say. What they look like on the way out is projection.py's."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db.models import Q, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import NotFound

from cases.models import (
    Case,
    CaseStatus,
    CompanyStatus,
    CompanyType,
    Gender,
    ReviewStatus,
    RiskLevel,
    Role,
    Template,
)
from cases.models.case import LABEL_LENGTH, NAME_LENGTH, label_is_plain, slug_is_a_space
from cases.models.parties import COMPANY_NAME_LENGTH, TEXT_LENGTH, is_phone_number
from workspaces.api import fields
from workspaces.models import User

from .common import NO_CASE
from .parts import (
    Attrs,
    BankingSerializer,
    ClassificationSerializer,
    Metadata,
    PartySerializer,
    Properties,
    Score,
    merged,
)

EDITABLE = (CaseStatus.DRAFT.value, CaseStatus.OPEN.value)


class IndividualSerializer(PartySerializer):
    first_name = fields.Text(max_length=TEXT_LENGTH)
    middle_name = fields.OptionalText()
    last_name = fields.Text(max_length=TEXT_LENGTH)
    maiden_name = fields.OptionalText()
    is_business_contact = fields.Flag(required=False)
    is_beneficial_owner = fields.Flag(required=False)
    is_controlling_person = fields.Flag(required=False)
    is_delegator = fields.Flag(required=False)
    is_signatory = fields.Flag(required=False)
    email = fields.OptionalEmail()
    birth_date = fields.Day()
    birth_country = fields.Country()
    birth_place = fields.OptionalText()
    residence_country = fields.Country()
    gender = fields.Word(choices=Gender.choices, required=False, allow_null=True)
    nationalities = fields.StrictList(
        child=fields.Country(allow_null=False, allow_blank=False), required=False, allow_null=True
    )
    banking_information = BankingSerializer(required=False, allow_null=True)
    social_security_number = fields.OptionalText()
    phone_number = fields.OptionalText(validators=[is_phone_number])
    position = fields.OptionalText()
    ownership_percentage = fields.Percentage()
    voting_rights_percentage = fields.Percentage()
    roles = fields.StrictList(child=fields.Word(choices=Role.choices), required=False)

    def validate(self, attrs: Attrs) -> Attrs:
        attrs = super().validate(attrs)
        self._settle_ownership(attrs)

        def now(name: str) -> Any:
            return attrs.get(name, self.before(name))

        if (now("is_business_contact") or now("is_signatory")) and not now("email"):
            raise serializers.ValidationError({"email": "A business contact or signatory needs an email."})
        if now("is_delegator") and now("is_signatory"):
            raise serializers.ValidationError({"is_delegator": "An individual cannot be both delegator and signatory."})
        return attrs

    def _settle_ownership(self, attrs: Attrs) -> None:
        """The early role `beneficial_owner` and today's `is_beneficial_owner` never contradict each other."""
        if "roles" in attrs:
            attrs["roles"] = list(dict.fromkeys(attrs["roles"]))
            if Role.BENEFICIAL_OWNER in attrs["roles"]:
                attrs["is_beneficial_owner"] = True
        elif attrs.get("is_beneficial_owner") is False:
            attrs["roles"] = [role for role in self.before("roles", []) if role != Role.BENEFICIAL_OWNER]


class CompanyUpdateSerializer(PartySerializer):
    name = fields.Text(max_length=COMPANY_NAME_LENGTH)
    commercial_name = fields.OptionalText(max_length=COMPANY_NAME_LENGTH)
    registration_number = fields.OptionalText(max_length=180)
    registration_date = fields.Day()
    status = fields.Word(choices=CompanyStatus.choices, required=False)
    legal_form = fields.OptionalText()
    entity_legal_form = fields.OptionalText(max_length=4)
    country = fields.Country()
    classifications = fields.StrictList(child=ClassificationSerializer(), required=False)
    banking_information = BankingSerializer(required=False)
    share_capital = fields.OptionalText()
    website_url = fields.OptionalText(max_length=2000)
    employer_identification_number = fields.OptionalText()

    def validate_banking_information(self, value: Attrs) -> Attrs:
        return merged(None, value)


class CompanySerializer(CompanyUpdateSerializer):
    type = fields.Word(choices=CompanyType.choices, required=False)


class OfCase(fields.Own):
    """The case that something is added to. One that is not there is a 404, as Dotfile's."""

    def __init__(self) -> None:
        super().__init__(Case.objects.all(), source="case")

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        if key == "does_not_exist":
            raise NotFound(NO_CASE)
        super().fail(key, **kwargs)


class IndividualCreateSerializer(IndividualSerializer):
    case_id = OfCase()


class CompanyCreateSerializer(CompanySerializer):
    case_id = OfCase()


class TemplateKey(fields.Own):
    """A template of the caller's workspace, by its key."""

    default_error_messages = {"does_not_exist": "No template of this workspace has this key."}

    def to_internal_value(self, data: Any) -> Any:
        found = self.get_queryset().filter(key=data).first() if isinstance(data, str) else None
        return found if found is not None else self.fail("does_not_exist")


class Assignee(fields.Own):
    """A member of the workspace who may sign in. Whom a case has already, it may keep."""

    default_error_messages = {"does_not_exist": "No member of this workspace who may sign in has this id."}

    def __init__(self) -> None:
        super().__init__(User.objects.all(), "workspaces", source="assignee", required=False, allow_null=True)

    def get_queryset(self) -> QuerySet[Any]:
        case = getattr(self.parent, "instance", None)
        return super().get_queryset().filter(Q(is_active=True) | Q(pk=case.assignee_id if case else None))


class CaseUpdateSerializer(serializers.Serializer[Any]):
    name = fields.Text(max_length=NAME_LENGTH)
    status = fields.Word(
        choices=EDITABLE,
        required=False,
        error_messages={"invalid_choice": "Set draft or open; what decides is POST /v1/cases/<id>/reviews."},
    )
    external_id = fields.OptionalText()
    template_key = TemplateKey(Template.objects.all(), required=False, allow_null=True)
    template_id = fields.Own(Template.objects.all(), required=False, allow_null=True)
    assignee_id = Assignee()
    custom_properties = Properties()
    metadata = Metadata()

    def validate(self, attrs: Attrs) -> Attrs:
        if attrs.get("template_key") and attrs.get("template_id"):
            raise serializers.ValidationError({"template_id": "Give either template_key or template_id, not both."})
        given = {attrs.pop(name) for name in ("template_key", "template_id") if name in attrs}
        if given:
            attrs["template"] = next(filter(None, given), None)
        if self.instance is not None and "custom_properties" in attrs:
            attrs["custom_properties"] = {**self.instance.custom_properties, **attrs["custom_properties"]}
        return attrs


class TagWords(fields.StrictList):
    """Ids or labels of tags."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=fields.Text(max_length=LABEL_LENGTH, validators=[label_is_plain]), **kwargs)


class CaseCreateSerializer(CaseUpdateSerializer):
    space_slug = fields.OptionalText(max_length=18, validators=[slug_is_a_space])
    tags = TagWords(required=False, allow_null=True)
    companies = fields.StrictList(child=CompanySerializer(), required=False)
    individuals = fields.StrictList(child=IndividualSerializer(), required=False)


class CaseReviewSerializer(serializers.Serializer[Attrs]):
    status = fields.Word(choices=ReviewStatus.choices)
    comment = fields.OptionalText(max_length=10_000)
    reviewed_at = serializers.DateTimeField(required=False)
    next_review_at = fields.Day()


class RiskSerializer(serializers.Serializer[Attrs]):
    level = fields.Word(choices=RiskLevel.choices)
    score = Score(required=False)
    components = serializers.DictField(child=Score(), required=False)
    flags = serializers.DictField(child=fields.Flag(), required=False)


class WaitStepSerializer(serializers.Serializer[Attrs]):
    client_portal_id = fields.Id(required=False)
    wait_step_key = fields.Text(required=False)


class CaseTagsSerializer(serializers.Serializer[Attrs]):
    tags = TagWords()


class RelevanceSerializer(serializers.Serializer[Attrs]):
    is_relevant = fields.Flag()
