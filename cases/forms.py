"""Forms of the admin: they accept what the API accepts."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from workspaces.editing import RuledForm
from workspaces.forms import CheckedJSON, Words
from workspaces.models import Workspace

from . import services
from .api import parts
from .api.parts import AddressSerializer, BankingSerializer, ClassificationSerializer, Metadata, Properties
from .models import CaseFlag, CaseStatus, PortalType, RiskLevel, RiskMode, Role
from .models.rules import DERIVED_FLAGS, HAND_FLAGS

EACH = 'JSON, by key: text, a number, true, false or a list of texts, such as {"segment": "retail"}.'


class CaseForm(RuledForm):
    as_shown = ("status", "flags", "tags")
    flags = Words(
        [choice for choice in CaseFlag.choices if choice[0] in HAND_FLAGS],
        error_messages={"invalid_choice": "%(value)s is no flag that is set by hand."},
    )
    risk_level = forms.ChoiceField(required=False, choices=[("", "---------"), *RiskLevel.choices])
    risk_comment = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 2, "cols": 60}))
    portal_name = forms.CharField(required=False, help_text="Of the client portal; empty: there is none.")
    portal_type = forms.ChoiceField(required=False, choices=[("", "---------"), *PortalType.choices])
    wait_step_key = forms.CharField(
        required=False, help_text="The step at which the contact of a draft waits; empty it to let them go on."
    )
    metadata = CheckedJSON(
        checked_by=partial(Metadata, limited=False),
        default=lambda: None,
        help_text='JSON, text by key, such as {"batch": "12"}.',
    )
    custom_properties = CheckedJSON(checked_by=partial(Properties, limited=False), default=dict, help_text=EACH)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        risk, portal = self.instance.risk or {}, self.instance.client_portal or {}
        shown = {
            "risk_level": risk.get("level"),
            "risk_comment": risk.get("comment"),
            "portal_name": portal.get("name"),
            "portal_type": portal.get("type"),
            "wait_step_key": portal.get("wait_step_key"),
        }
        flags = [flag for flag in self.instance.flags if flag in HAND_FLAGS]
        self.initial = {**{name: value or "" for name, value in shown.items()}, **self.initial, "flags": flags}

    def clean_flags(self) -> list[str]:
        """Those that follow from the checks stay as they are, and all in their order; so do all that nobody touched."""
        if self.is_left("flags"):
            return list(self.instance.flags)
        ticked: list[str] = self.cleaned_data["flags"]
        kept = [flag for flag in self.instance.flags if flag in DERIVED_FLAGS or flag in ticked]
        return kept + [flag for flag in ticked if flag not in kept]

    def clean_status(self) -> str:
        """A page that was open during a verdict does not undo it."""
        wanted: str = self.instance.status if self.is_left("status") else self.cleaned_data["status"]
        if wanted != self.initial.get("status") and wanted not in (CaseStatus.DRAFT, CaseStatus.OPEN):
            raise ValidationError(
                "Set a case to draft or open here; to approve, reject or close it, use the button or the action of "
                "that name, which keeps a review."
            )
        return wanted

    def clean(self) -> dict[str, Any]:
        """Templates, tags and assignees are the workspace's own; what a case has already is not refused later."""
        data = super().clean()
        if self.is_left("tags"):
            data.pop("tags", None)  # somebody may have changed them since
        workspace = data.get("workspace") or (None if self.instance._state.adding else self.instance.workspace)
        if workspace is not None:
            self._refuse_strangers(workspace, data)
        self._assess(data)
        self._describe_portal(data)
        return data

    def _assess(self, data: dict[str, Any]) -> None:
        level, comment = data.get("risk_level"), data.get("risk_comment")
        if level:
            before, said = self.instance.risk or {}, {"level": level, "comment": comment or None}
            if before != {**before, **said}:
                self.instance.risk = services.assessed(before or None, {**said, "mode": RiskMode.MANUAL.value})
        elif comment or self.instance.risk:
            self.add_error("risk_level", "Choose a level; “not defined” is one.")

    def _describe_portal(self, data: dict[str, Any]) -> None:
        name, kind, key = (data.get(field) for field in ("portal_name", "portal_type", "wait_step_key"))
        if name and kind:
            portal = services.portal_with(self.instance.client_portal, name, kind, key or None)
            self.instance.client_portal = portal
        elif name or kind or key:
            self.add_error("portal_type" if name else "portal_name", "A client portal has a name and a type.")
        elif "portal_name" in self.changed_data:
            self.instance.client_portal = None

    def _refuse_strangers(self, workspace: Workspace, data: dict[str, Any]) -> None:
        template, assignee = data.get("template"), data.get("assignee")
        if template and template.workspace_id != workspace.pk:
            self.add_error("template", "This template belongs to another workspace.")
        if any(tag.workspace_id != workspace.pk for tag in data.get("tags") or ()):
            self.add_error("tags", "A tag belongs to another workspace.")
        if "assignee" in self.changed_data and assignee and not workspace.members.filter(pk=assignee.pk).exists():
            self.add_error("assignee", "This person is not a member of the case's workspace.")


class PartyForm(RuledForm):
    address = CheckedJSON(
        checked_by=AddressSerializer,
        default=dict,
        help_text="JSON with street_address, street_address_2, postal_code, city, state, region, country.",
    )
    custom_properties = CheckedJSON(checked_by=partial(Properties, limited=False), default=dict, help_text=EACH)

    def clean_address(self) -> dict[str, Any]:
        return parts.merged({}, self.cleaned_data["address"])


class IndividualForm(PartyForm):
    roles = Words(Role.choices)
    banking_information = CheckedJSON(
        checked_by=BankingSerializer, default=lambda: None, help_text="JSON with iban and bic."
    )

    def clean_nationalities(self) -> list[str] | None:
        """An empty box leaves null what was null: that is no change to tell receivers of."""
        given: list[str] | None = self.cleaned_data["nationalities"]
        return given or (None if self.instance.nationalities is None else [])


class CompanyForm(PartyForm):
    classifications = CheckedJSON(
        checked_by=lambda: ClassificationSerializer(many=True),
        default=list,
        help_text='JSON, such as [{"type": "nace", "code": "6201", "description": "Programming"}].',
    )
    banking_information = CheckedJSON(checked_by=BankingSerializer, default=dict, help_text="JSON with iban and bic.")


class WrittenForm(RuledForm):
    content = forms.CharField(strip=False, widget=forms.Textarea(attrs={"rows": 5, "cols": 80}), help_text="HTML.")
