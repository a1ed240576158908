"""Rows that know what changed: the ground that every domain model stands on.

Django's own signals tell of single saves and deletes, without a "before"; they are silent on bulk operations. A
`TrackedModel` remembers what was loaded and writes only what differs; its manager announces bulk changes through
`rows_changed` and `rows_deleted`. Who listens is none of the domain's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models, router, transaction
from django.db.models.base import ModelBase
from django.utils import timezone

from .bulk import TrackedManager, TrackedQuerySet, rows_changed, rows_deleted, rows_deleting
from .identifiers import new_id
from .memory import Change
from .rules import Above, RuledModel, above_affected, all_or_nothing, lock_above, refusal, refuse_double, tell_above
from .values import refuse_values


class TrackedModel(RuledModel):
    """A row that remembers what was loaded: `save()` writes what differs and `change` tells what that was."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[TrackedManager[Self]] = TrackedManager()

    locked_fields: ClassVar[frozenset[str]] = frozenset()
    """Attribute names whose "before" must be certain: changing one locks the row and reads all of them first."""

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

        Returns without a statement when nothing differs. Raises ValidationError when a rule refuses the change, with
        nothing written; DatabaseError when the row is gone. One whose creation was rolled back is created again.
        """
        using = using or router.db_for_write(type(self), instance=self)
        update_fields = self._filled_in(update_fields)
        adding, touched = self._state.adding, self.updated_at
        remembered = self.change, self._loaded, self._fate, self._doubted
        computing = any(hasattr(value, "resolve_expression") for value in self.__dict__.values())
        try:
            # With expressions, some of the row is written before the rest can be refused.
            with all_or_nothing(type(self), using, savepoint=computing):
                self._lock_above(using, update_fields)
                if not self._state.adding:
                    self._be_sure(using)
                if self._state.adding or force_insert:
                    refused = self._insert(force_insert, using)
                else:
                    refused = self._update(force_update, using, update_fields)
                if refused and computing:
                    raise refused
            if refused:  # out here: an exception that leaves such a block would spoil the caller's transaction
                raise refused
        except BaseException:
            self._state.adding, self.updated_at = adding, touched
            self.change, self._loaded, self._fate, self._doubted = remembered
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
                if above := self.above:
                    lock_above(type(self), above, [getattr(self, above.field)], using)
                self._loaded = self._read(using, [field.attname for field in self._meta.concrete_fields])
                if not self._loaded:
                    return 0, {}
                if not (refused := refusal(lambda: self.refuse_deletion([self], using))):
                    return self._delete(using, keep_parents)
            raise refused  # out here, as in save()
        except BaseException:
            self._loaded, self.pk = remembered, key
            raise

    def _delete(self, using: str, keep_parents: bool) -> tuple[int, dict[str, int]]:
        rows_deleting.send(sender=type(self), rows=[self], using=using)
        result = super().delete(using=using, keep_parents=keep_parents)
        rows_deleted.send(sender=type(self), rows=[self], using=using)
        tell_above(type(self), [self], using)
        return result

    delete.alters_data = True  # type: ignore[attr-defined]  # Django's mark: templates may not call it

    def _lock_above(self, using: str, update_fields: Iterable[str] | None) -> None:
        above = self.above
        if above is None:
            return
        known = self._loaded and (self._fate is None or self._fate.stands(using))
        new = above.by_new or above.locked_by_new
        if new if self._state.adding else not known or self._differing(update_fields) & above.by:
            lock_above(type(self), above, [getattr(self, above.field)], using)

    def _filled_in(self, update_fields: Iterable[str] | None) -> Iterable[str] | None:
        """Lets complete() fill in what follows; that is written, too."""
        follows = self._completed()
        return None if update_fields is None else {*update_fields, *follows}

    def _refusal(self, change: Change, using: str) -> ValidationError | None:
        def ask() -> None:
            now = change.row.stored()
            written = now.keys() if change.before is None else change.before.keys()
            refuse_values(type(self), {name: now[name] for name in written})
            refuse_double(self, written, using)
            self.refuse([change], using)

        return refusal(ask)

    def _insert(self, force_insert: bool | tuple[ModelBase, ...], using: str) -> ValidationError | None:
        if self.pk is None:  # Django's way to copy a row; it would find a key only later
            self.pk = self._meta.pk.get_pk_value_on_save(self)
        self._remember_all(using)
        self.change = Change(self, None)
        if refused := self._refusal(self.change, using):
            return refused
        self.accompany([self.change], using)
        super().save(force_insert=force_insert, using=using)
        tell_above(type(self), [self.change], using)
        return None

    def _update(self, force_update: bool, using: str, update_fields: Iterable[str] | None) -> ValidationError | None:
        self._save_expressions(using, update_fields)
        differing = self._differing(update_fields)
        if uncertain := (differing & self.locked_fields) | (differing - self._loaded.keys()):
            self._make_certain(using, uncertain)
            update_fields = self._filled_in(update_fields)
            differing = self._differing(update_fields)
        if not differing - {"updated_at"}:
            return None
        if "updated_at" not in differing:
            self.updated_at = timezone.now()
        written = differing | {"updated_at"}
        self.change = self._written(written)
        if refused := self._refusal(self.change, using):
            return refused
        self._vouch(using, written)
        self.accompany([self.change], using)
        super().save(force_update=force_update, using=using, update_fields=written)
        tell_above(type(self), [self.change], using)
        return None

    def _make_certain(self, using: str, attnames: set[str]) -> None:
        """Locks and reads these, and all locked fields if one is among them; those not edited are as they are now."""
        together = self.locked_fields & self._loaded.keys() if attnames & self.locked_fields else frozenset()
        found = self._read(using, attnames | together)
        for name in (together - self._differing()) & found.keys():
            setattr(self, name, found[name])
        self._loaded = {**self._loaded, **found}

    def _save_expressions(self, using: str, update_fields: Iterable[str] | None) -> None:
        """`row.count = F("count") + 1` is the database's to compute; what came of it is read back."""
        found = {n: v for n in self._differing(update_fields) if hasattr(v := getattr(self, n), "resolve_expression")}
        if found:
            type(self).objects.using(using).filter(pk=self.pk).update(**found)
            self.refresh_from_db(using=using, fields=found)
            self._vouch(using, found)


__all__ = [
    "Above",
    "Change",
    "TrackedManager",
    "TrackedModel",
    "TrackedQuerySet",
    "above_affected",
    "rows_changed",
    "rows_deleted",
    "rows_deleting",
]
