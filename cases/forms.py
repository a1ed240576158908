"""Forms of the admin: they accept what the API accepts."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from workspaces.forms import CheckedJSON, Words
from workspaces.models import Workspace
from workspaces.typed import ModelForm

from .api import parts
from .api.parts import AddressSerializer, BankingSerializer, ClassificationSerializer, Metadata, Properties
from .models import CaseFlag, CaseStatus, Role

EACH = 'JSON, by key: text, a number, true, false or a list of texts, such as {"segment": "retail"}.'


class CaseForm(ModelForm):
    flags = Words(CaseFlag.choices)
    metadata = CheckedJSON(
        checked_by=Metadata, default=lambda: None, help_text='JSON, text by key, such as {"batch": "12"}.'
    )
    custom_properties = CheckedJSON(checked_by=Properties, default=dict, help_text=EACH)

    def clean_status(self) -> str:
        wanted: str = self.cleaned_data["status"]
        if wanted != self.initial.get("status") and wanted not in (CaseStatus.DRAFT, CaseStatus.OPEN):
            raise ValidationError(
                "Set a case to draft or open here; to approve, reject or close it, use the button or the action of "
                "that name, which keeps a review."
            )
        return wanted

    def clean(self) -> dict[str, Any]:
        """Templates, tags and assignees are the workspace's own; what a case has already is not refused later."""
        data = super().clean() or self.cleaned_data
        workspace = data.get("workspace") or (None if self.instance._state.adding else self.instance.workspace)
        if workspace is not None:
            self._refuse_strangers(workspace, data)
        return data

    def _refuse_strangers(self, workspace: Workspace, data: dict[str, Any]) -> None:
        template, assignee = data.get("template"), data.get("assignee")
        if template and template.workspace_id != workspace.pk:
            self.add_error("template", "This template belongs to another workspace.")
        if any(tag.workspace_id != workspace.pk for tag in data.get("tags") or ()):
            self.add_error("tags", "A tag belongs to another workspace.")
        if "assignee" in self.changed_data and assignee and not workspace.members.filter(pk=assignee.pk).exists():
            self.add_error("assignee", "This person is not a member of the case's workspace.")


class PartyForm(ModelForm):
    address = CheckedJSON(
        checked_by=AddressSerializer,
        default=dict,
        help_text="JSON with street_address, street_address_2, postal_code, city, state, region, country.",
    )
    custom_properties = CheckedJSON(checked_by=Properties, default=dict, help_text=EACH)

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
