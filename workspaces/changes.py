"""Rows that know what changed: the ground that every domain model stands on.

Django's own signals tell of single saves and deletes, without a "before"; they are silent on bulk operations. A
`TrackedModel` remembers what was loaded and writes only what differs; its manager announces bulk changes through
`rows_changed` and `rows_deleted`. Who listens is none of the domain's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self

from django.db import models, router, transaction
from django.db.models.base import ModelBase
from django.utils import timezone

from .bulk import TrackedManager, TrackedQuerySet, rows_changed, rows_deleted, rows_deleting
from .identifiers import new_id
from .memory import Change, RememberingModel


class TrackedModel(RememberingModel):
    """A row that remembers what was loaded: `save()` writes what differs and `change` tells what that was."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[TrackedManager[Self]] = TrackedManager()

    locked_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields whose "before" must be certain: changing one locks the row and reads it first."""

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Writes what differs from what was loaded, in one transaction with whatever receivers of post_save write.

        Returns without a statement when nothing differs. Raises DatabaseError when the row is gone; one whose creation
        was rolled back is created again.
        """
        using = using or router.db_for_write(type(self), instance=self)
        adding, touched = self._state.adding, self.updated_at
        remembered = self._loaded, self._fate, self._doubted
        try:
            with transaction.atomic(using=using, savepoint=False):
                if not self._state.adding:
                    self._be_sure(using)
                if self._state.adding or force_insert:
                    self._insert(force_insert, using)
                else:
                    self._update(force_update, using, update_fields)
        except BaseException:
            self._state.adding, self.updated_at = adding, touched
            self._loaded, self._fate, self._doubted = remembered
            raise

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """As Django's, but a row that is gone is not deleted again: nothing tells of it.

        Receivers of `rows_deleted` find in stored() what the database had.
        """
        if self.pk is None:
            return super().delete(using=using, keep_parents=keep_parents)  # which refuses, with a sentence
        using = using or router.db_for_write(type(self), instance=self)
        remembered, key = self._loaded, self.pk
        try:
            with transaction.atomic(using=using, savepoint=False):
                self._loaded = self._read(using, [field.attname for field in self._meta.concrete_fields])
                if not self._loaded:
                    return 0, {}
                rows_deleting.send(sender=type(self), rows=[self], using=using)
                result = super().delete(using=using, keep_parents=keep_parents)
                rows_deleted.send(sender=type(self), rows=[self], using=using)
                return result
        except BaseException:
            self._loaded, self.pk = remembered, key
            raise

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark: templates may not call it

    def _insert(self, force_insert: bool | tuple[ModelBase, ...], using: str) -> None:
        if self.pk is None:  # Django's way to copy a row; it would find a key only later
            self.pk = self._meta.pk.get_pk_value_on_save(self)
        self._remember_all(using)
        self.change = Change(self, None)
        super().save(force_insert=force_insert, using=using)

    def _update(self, force_update: bool, using: str, update_fields: Iterable[str] | None) -> None:
        self._save_expressions(using, update_fields)
        differing = self._differing(update_fields)
        if uncertain := (differing & self.locked_fields) | (differing - self._loaded.keys()):
            self._loaded = {**self._loaded, **self._read(using, uncertain)}
            differing = self._differing(update_fields)
        if not differing - {"updated_at"}:
            return
        if "updated_at" not in differing:
            self.updated_at = timezone.now()
        written = differing | {"updated_at"}
        self.change = self._written(written)
        self._vouch(using, written)
        super().save(force_update=force_update, using=using, update_fields=written)

    def _save_expressions(self, using: str, update_fields: Iterable[str] | None) -> None:
        """`row.count = F("count") + 1` is the database's to compute; what came of it is read back."""
        found = {n: v for n in self._differing(update_fields) if hasattr(v := getattr(self, n), "resolve_expression")}
        if found:
            type(self).objects.using(using).filter(pk=self.pk).update(**found)
            self.refresh_from_db(using=using, fields=found)
            self._vouch(using, found)


__all__ = [
    "Change",
    "TrackedManager",
    "TrackedModel",
    "TrackedQuerySet",
    "rows_changed",
    "rows_deleted",
    "rows_deleting",
]
