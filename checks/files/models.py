"""Bytes that wait for a check, and those that belong to one; the files of documents are in checks.documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.utils import timezone

from workspaces.identifiers import new_id
from workspaces.models import Workspace

if TYPE_CHECKING:
    from checks.models import Check


class StoredFile(models.Model):
    """A file in the database, where workers on any machine reach it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=255, help_text="Of the file, without folders.")
    content_type = models.CharField(max_length=255, blank=True, help_text="As whoever sent it declared.")
    size = models.PositiveIntegerField(help_text="In bytes.")
    content = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}".capitalize()  # not its name, which may be a person's


class Upload(StoredFile):
    """A file that checks may use until it expires. Those that use it have a copy."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="checks_upload_expiry")]


class CheckFile(StoredFile):
    """A side of an identity document, as it was handed in for a check."""

    # Not `check`: that is Django's own method of every model.
    for_check: models.ForeignKey[Check, Check] = models.ForeignKey(
        "checks.Check", on_delete=models.CASCADE, related_name="files", verbose_name="check"
    )
