"""Which documents a workspace collects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import QuerySet

from cases.models import Case, values
from checks.choices import EntityType
from checks.data.document_types import STANDARD
from checks.data.settings import KEY_LENGTH
from workspaces.changes import Change, TrackedModel
from workspaces.models import Workspace
from workspaces.refusals import refused

is_key = RegexValidator(r"\A[a-z][a-z_0-9]*\Z", "Use small letters, digits and _, beginning with a letter.")

# Checks are found by them.
FIXED = frozenset({"workspace_id", "key"})

Row = dict[str, Any]
Types = dict[tuple[UUID, str], Row]
"""By workspace and key, as `values()` gives them."""


class DocumentType(TrackedModel):
    """A kind of document that checks can be about."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="document_types", db_index=False)
    key = models.CharField(max_length=KEY_LENGTH, validators=[is_key])
    label = models.CharField(max_length=255)
    target_entities = ArrayField(
        models.CharField(max_length=16, choices=EntityType.choices), help_text="Whom such a document is of."
    )
    is_internal = models.BooleanField(default=False, help_text="Not shown to the contacts of a case.")
    archived_at = models.DateTimeField(null=True, blank=True, help_text="No check is started for it any more.")

    unique_fields: ClassVar = frozenset({"key"})

    class Meta(TrackedModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "key"],
                name="checks_document_type_key_is_unique",
                violation_error_message="Another document type of this workspace has this key.",
            )
        ]

    def __str__(self) -> str:
        return self.label

    @classmethod
    def refuse(cls, changes: Sequence[Change], using: str) -> None:
        values.refuse(changes)
        for change in changes:
            touched = FIXED & (change.before or {}).keys()
            if touched:
                raise ValidationError(f"A document type keeps its {min(touched).removesuffix('_id')}; make another.")
            if change.before is None or {"label", "target_entities"} & change.before.keys():
                _refuse_columns(change.row.stored())


def _refuse_columns(row: Mapping[str, Any]) -> None:
    if not row["label"].strip():
        raise ValidationError({"label": "Give the document type a label."})
    whom = row["target_entities"]
    if not whom or len({*whom}) < len(whom):
        raise ValidationError({"target_entities": f"Name one or more of {', '.join(EntityType.values)}, each once."})


def types_of(workspace: UUID) -> QuerySet[DocumentType]:
    """All of a workspace; the standard ones are made first where they are not there yet."""
    rows = DocumentType.objects.filter(workspace=workspace)
    if rows.filter(key__in=STANDARD).count() < len(STANDARD):
        _make_standard({workspace}, ())
    return rows


def usable_types(wanted: Collection[tuple[UUID, str, str]], case_ids: Collection[UUID]) -> Types:
    """The types with these workspaces and keys, in two queries; standard ones are made when they are first needed.

    `wanted` names the kind of entity, too; `case_ids` are the cases of the checks.
    Raises ValidationError for a type that is unknown, archived or not of such entities.
    """
    types = _find({(workspace, key) for workspace, key, _ in wanted})
    missing = {(workspace, key) for workspace, key, _ in wanted} - types.keys()
    if new := {workspace for workspace, key in missing if key in STANDARD}:
        _make_standard(new, case_ids)
        types |= _find(missing)
    for workspace, key, entity in wanted:
        _refuse(types.get((workspace, key)), workspace, key, entity)
    return types


def _find(pairs: Collection[tuple[UUID, str]]) -> Types:
    rows = DocumentType.objects.filter(workspace__in={pair[0] for pair in pairs}, key__in={pair[1] for pair in pairs})
    found: Types = {(row["workspace_id"], row["key"]): {**row} for row in rows.values()}
    return {pair: found[pair] for pair in pairs if pair in found}


def _make_standard(workspaces: Collection[UUID], case_ids: Collection[UUID]) -> None:
    """The cases are locked first, as by whoever changes a check: of two who need the types, one may hold a case."""
    made = [
        DocumentType(workspace_id=workspace, key=key, label=known.label, target_entities=[*known.target_entities])
        for workspace in sorted(workspaces)
        for key, known in sorted(STANDARD.items())
    ]
    with transaction.atomic():
        list(Case.objects.filter(pk__in=case_ids).order_by("pk").select_for_update(no_key=True).values_list("pk"))
        DocumentType.objects.bulk_create(made, ignore_conflicts=True)


def _refuse(row: Row | None, workspace: UUID, key: str, entity: str) -> None:
    if row is None:
        raise refused("settings", _unknown(workspace, key), "unknown_document_type")
    if row["archived_at"] is not None:
        raise refused("settings", f"The document type {key} is archived.", "archived")
    if entity not in row["target_entities"]:
        whom = {EntityType.COMPANY.value: "companies", EntityType.INDIVIDUAL.value: "individuals"}[entity]
        raise refused("settings", f"The document type {key} is not of {whom}.", "wrong_subject")


def _unknown(workspace: UUID, key: str) -> str:
    own = DocumentType.objects.filter(workspace=workspace, archived_at=None).values_list("key", flat=True)
    nearest = get_close_matches(key, {*own, *STANDARD}, 1)
    hint = f" Did you mean {nearest[0]}?" if nearest else ""
    return f"There is no document type {key}.{hint}"
