"""What happens to files: uploaded, handed in for checks, fetched, and removed when nobody needs them any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from checks.data import Json, merged
from checks.data.settings import complete_settings
from checks.documents import services as documents
from checks.documents.models import DocumentFile
from checks.models import WAITING, Check, CheckStatus, CheckType
from checks.projection import whole_data
from checks.services.common import locked
from workspaces.models import Workspace
from workspaces.refusals import refused

from .models import CheckFile, Upload

LIVES = timedelta(days=1)
"""An upload: Dotfile's "about one day"."""
# Uploads removed by one statement: their bytes are not read, but each has some.
BATCH = 100
MOST_BYTES_OF_VENDOR: Mapping[str, int] = {"idnow": 4_000_000, "veriff": 17_000_000}
"""Of a side of an identity document, as Dotfile's vendors take them."""


class Content(NamedTuple):
    name: str
    content: bytes


@transaction.atomic
def upload(workspace: Workspace, name: str, content_type: str, content: bytes) -> Upload:
    """Keeps a file for checks of this workspace that are to come.

    Raises ValidationError beyond UPLOADS_PER_WORKSPACE.
    """
    made = Upload.objects.create(
        workspace=workspace,
        name=name,
        content_type=content_type,
        size=len(content),
        content=content,
        expires_at=timezone.now() + LIVES,
    )
    _refuse_too_much(workspace)
    return made


def fetch(workspace: Workspace, pk: UUID) -> Content | None:
    """A file that belongs to a check of this workspace, by the id that the check shows."""
    document = DocumentFile.objects.filter(document__case__workspace=workspace, pk=pk)
    identity = CheckFile.objects.filter(for_check__case__workspace=workspace, pk=pk)
    found = document.values_list("document__name", "content").first() or identity.values_list("name", "content").first()
    return Content(found[0], bytes(found[1])) if found else None


@transaction.atomic
def add_documents(check: Check, uploads: Sequence[Upload], settings: Json | None = None) -> Check:
    """Hands the files in for a document check and has each analysed. `settings`: how, from now on.

    Raises ValidationError for a check of another type, and for settings that it does not have.
    """
    check = locked(check)
    if settings:
        whole = whole_data(check.stored())
        check.data = whole | {"settings": complete_settings(CheckType.DOCUMENT, whole["settings"] | settings)}
        check.save()
    for each in uploads:  # one after the other: each may be large
        documents.submit(check, each.name, _content(each), each.content_type)
    return locked(check)


@transaction.atomic
def add_identity(check: Check, front: Upload, back: Upload | None = None) -> Check:
    """Hands in the sides of an identity document: the check is processed. They take the place of earlier ones.

    Raises ValidationError for a check of another type or one that was decided, and for a file that its vendor would
    not take.
    """
    check = locked(check)
    _refuse_identity(check)
    sides = {"front": front, "back": back}
    for side, given in sides.items():
        _refuse_large(check, side, given)
    check.files.all().delete()
    keys = {f"{side}_file_id": given and str(_kept(check, given).pk) for side, given in sides.items()}
    check.data = merged(whole_data(check.stored()), {"information": keys})
    check.status = CheckStatus.PROCESSING
    check.save()
    return check


def remove_expired(now: datetime) -> int:
    """Removes the uploads that nobody can use any more; how many. Two at once do no harm."""
    over, count = Upload.objects.filter(expires_at__lte=now), 0
    while keys := list(over.order_by("expires_at").values_list("pk", flat=True)[:BATCH]):
        count += over.filter(pk__in=keys).delete()[0]
    return count


def _refuse_too_much(workspace: Workspace) -> None:
    """Locks after the bytes were sent, so that nobody waits for those; who comes second counts what the first kept."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace.pk)
    waiting = Upload.objects.filter(workspace=workspace, expires_at__gt=timezone.now())
    if waiting.aggregate(all=Sum("size", default=0))["all"] > settings.UPLOADS_PER_WORKSPACE:
        limit = f"{settings.UPLOADS_PER_WORKSPACE:,} bytes"
        raise ValidationError(f"The uploads of this workspace may have {limit} together; each lasts a day.")


def _refuse_identity(check: Check) -> None:
    if check.type != CheckType.ID_DOCUMENT:
        raise ValidationError(f"Only ID document checks have sides; this one is of type {check.type}.")
    if check.status not in (*WAITING, CheckStatus.NEED_REVIEW):
        raise ValidationError(f"This check is {check.status}: it takes no more files.", code="decided")


def _refuse_large(check: Check, side: str, given: Upload | None) -> None:
    vendor = whole_data(check.stored())["settings"]["vendor"]
    most = MOST_BYTES_OF_VENDOR[vendor]
    if given and given.size > most:
        sentence = f"The file is larger than {most // 1_000_000} MB, the most that {vendor} takes."
        raise refused(f"{side}_upload_ref", sentence, "too_large")


def _kept(check: Check, given: Upload) -> CheckFile:
    return CheckFile.objects.create(
        for_check=check,
        name=given.name,
        content_type=given.content_type,
        size=given.size,
        content=_content(given),
    )


def _content(given: Upload) -> bytes:
    return bytes(Upload.objects.values_list("content", flat=True).get(pk=given.pk))
