"""Rows that know what changed: the ground that every domain model stands on.

Django's own signals tell of single saves and deletes, without a "before"; they are silent on bulk operations. A
`TrackedModel` remembers what was loaded and writes only what differs; its manager announces bulk changes through
`rows_changed` and `rows_deleted`. Who listens is none of the domain's business.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeVar

from django.db import NotSupportedError, connections, models, router, transaction
from django.db.models.base import ModelBase
from django.dispatch import Signal
from django.utils import timezone

from .identifiers import new_id

M = TypeVar("M", bound="TrackedModel")

# Rows locked and rewritten by one statement: large enough to be cheap, small enough to stay in memory.
CHUNK = 1000

# Sent inside the transaction of a bulk write. Arguments: sender (the model), changes (list[Change]), using (alias).
rows_changed = Signal()
# Sent inside the transaction of QuerySet.delete(). Arguments: sender, rows (as they were stored), using.
rows_deleted = Signal()


@dataclass(frozen=True, slots=True)
class Change:
    """One row that was written: the row as it is now, and the fields that differ as they were before."""

    row: TrackedModel
    before: Mapping[str, Any] | None
    """Old values by attribute name (`template_id`); None when the row is new."""


class _Written:
    """Remembers whether the transaction that wrote a row was committed."""

    __slots__ = ("committed",)

    def __init__(self) -> None:
        self.committed = False

    def __call__(self) -> None:
        self.committed = True

    def stands(self, using: str) -> bool:
        """Committed, or still to be: a rollback drops the hook unseen."""
        return self.committed or any(hook[1] is self for hook in connections[using].run_on_commit)


class TrackedQuerySet(models.QuerySet[M]):
    """Bulk operations that lock rows in key order and announce each row they changed."""

    def update(self, **kwargs: Any) -> int:
        """As Django's, with `updated_at`; rows that would not change are not written."""
        if self.query.is_sliced:
            raise TypeError("Cannot update a query once a slice has been taken.")
        kwargs.setdefault("updated_at", timezone.now())
        with transaction.atomic(using=self.db, savepoint=False):
            ids = list(self.order_by("pk").values_list("pk", flat=True))
            return sum(self._update_chunk(chunk, kwargs) for chunk in _chunks(ids))

    update.alters_data = True  # type: ignore[attr-defined]  # Django's mark: templates may not call it

    def _update_chunk(self, ids: Sequence[Any], kwargs: dict[str, Any]) -> int:
        rows = self._lock(ids)
        matching = set(self.filter(pk__in=ids).values_list("pk", flat=True))  # a row may have changed before our lock
        rows = [row for row in rows if row.pk in matching]
        values = {self.model._meta.get_field(name): value for name, value in kwargs.items()}
        constant = not any(hasattr(value, "resolve_expression") for value in values.values())
        if constant:
            for row in rows:
                row._assign(values)
            rows = [row for row in rows if row._differing() - {"updated_at"}]
        super(TrackedQuerySet, self.order_by().filter(pk__in=[row.pk for row in rows])).update(**kwargs)
        if not constant:
            now = {row.pk: row for row in self._by_key([row.pk for row in rows])}
            rows = [now[row.pk]._continuing(row) for row in rows]
        self._announce([row._written() for row in rows])
        return len(matching)

    def _by_key(self, ids: Sequence[Any]) -> models.QuerySet[M]:
        plain: models.QuerySet[M] = models.QuerySet(self.model, using=self.db)
        return plain.filter(pk__in=ids).order_by("pk")

    def _lock(self, ids: Sequence[Any]) -> list[M]:
        return list(self._by_key(ids).select_for_update())

    def _announce(self, changes: Iterable[Change]) -> None:
        changes = [change for change in changes if change.before is None or change.before]
        if changes:
            rows_changed.send(sender=self.model, changes=changes, using=self.db)

    def bulk_update(self, objs: Iterable[M], fields: Iterable[str], batch_size: int | None = None) -> int:
        """As Django's, in key order, at most 1,000 rows a statement."""
        rows, names = sorted(objs, key=lambda row: row.pk), list(fields)
        count = super().bulk_update(rows, names, min(batch_size or CHUNK, CHUNK))
        attnames = {f.attname for f in self.model._meta.concrete_fields if f.name in names or f.attname in names}
        for row in rows:
            row._remember(attnames)
        return count

    def bulk_create(
        self,
        objs: Iterable[M],
        batch_size: int | None = None,
        ignore_conflicts: bool = False,
        update_conflicts: bool = False,
        update_fields: Any = None,
        unique_fields: Any = None,
    ) -> list[M]:
        """As Django's. Raises NotSupportedError for `update_conflicts`, which hides what it changed."""
        if update_conflicts:
            raise NotSupportedError(
                "bulk_create(update_conflicts=True) cannot tell what it changed; use bulk_update()."
            )
        rows = list(objs)
        ids = [row.pk for row in rows]
        with transaction.atomic(using=self.db, savepoint=False):
            there = set(self._by_key(ids).values_list("pk", flat=True)) if ignore_conflicts else set()
            created = super().bulk_create(rows, batch_size or CHUNK, ignore_conflicts=ignore_conflicts)
            if ignore_conflicts:
                there ^= set(self._by_key(ids).values_list("pk", flat=True))
            for row in (new := [row for row in rows if not ignore_conflicts or row.pk in there]):
                row._remember(None)
            self._announce(Change(row, None) for row in new)
        return created

    def delete(self) -> tuple[int, dict[str, int]]:
        """As Django's, after locking the rows in key order."""
        with transaction.atomic(using=self.db, savepoint=False):
            ids = sorted(self.values_list("pk", flat=True))
            rows = [row for chunk in _chunks(ids) for row in self._lock(chunk)]
            result = super().delete()
            if rows:
                rows_deleted.send(sender=self.model, rows=rows, using=self.db)
        return result

    delete.alters_data = True  # type: ignore[attr-defined]  # as above
    delete.queryset_only = True  # type: ignore[attr-defined]  # managers do not get it, as in Django


class TrackedManager(models.Manager[M]):
    """The default and base manager of tracked models: every way to a bulk write leads through it."""

    def get_queryset(self) -> TrackedQuerySet[M]:
        return TrackedQuerySet(self.model, using=self._db)

    def update(self, **kwargs: Any) -> int:
        return self.get_queryset().update(**kwargs)

    def bulk_update(self, objs: Iterable[M], fields: Iterable[str], batch_size: int | None = None) -> int:
        return self.get_queryset().bulk_update(objs, fields, batch_size)

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        return self.get_queryset().bulk_create(objs, *args, **kwargs)


class TrackedModel(models.Model):
    """A row that remembers what was loaded: `save()` writes what differs and `change` tells what that was."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[TrackedManager[Self]] = TrackedManager()

    locked_fields: ClassVar[frozenset[str]] = frozenset()
    """Fields whose "before" must be certain: changing one locks the row and reads it first."""

    change: Change | None = None
    """What the latest save() wrote; for receivers of post_save."""
    _loaded: Mapping[str, Any] = MappingProxyType({})
    _written_by: _Written | None = None

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

        Returns without a statement when nothing differs. Raises DatabaseError when the row is gone.
        """
        using = using or router.db_for_write(type(self), instance=self)
        adding, remembered, touched = self._state.adding, self._loaded, self.updated_at
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
            self._loaded = remembered
            raise

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any) -> Self:
        instance = super().from_db(db, field_names, values, **options)
        instance._remember(None)
        return instance

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        names = None if fields is None else list(fields)
        super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)
        concrete = {name: f.attname for f in self._meta.concrete_fields for name in (f.name, f.attname)}
        self._remember(None if names is None else {concrete[name] for name in names if name in concrete})

    @property
    def is_being_created(self) -> bool:
        """This copy's latest save() inserted the row, in a transaction that is still open."""
        new = self.change is not None and self.change.before is None
        return new and self._written_by is not None and not self._written_by.committed

    def stored(self) -> Mapping[str, Any]:
        """The row as the database has it, by attribute name: without edits that were not saved."""
        if missing := {field.attname for field in self._meta.concrete_fields} - self._loaded.keys():
            self.refresh_from_db(fields=missing)
        return self._loaded

    def _insert(self, force_insert: bool | tuple[ModelBase, ...], using: str) -> None:
        self._remember(None)
        self.change = Change(self, None)
        super().save(force_insert=force_insert, using=using)
        self._vouch(using)

    def _update(self, force_update: bool, using: str, update_fields: Iterable[str] | None) -> None:
        self._save_expressions(using, update_fields)
        differing = self._differing(update_fields)
        if differing & self.locked_fields:
            self._loaded = {**self._loaded, **self._read(using, differing & self.locked_fields)}
            differing = self._differing(update_fields)
        if not differing - {"updated_at"}:
            return
        if "updated_at" not in differing:
            self.updated_at = timezone.now()
        self.change = self._written(differing | {"updated_at"})
        super().save(force_update=force_update, using=using, update_fields=differing | {"updated_at"})
        self._vouch(using)

    def _save_expressions(self, using: str, update_fields: Iterable[str] | None) -> None:
        """`row.count = F("count") + 1` is the database's to compute; what came of it is read back."""
        found = {n: v for n in self._differing(update_fields) if hasattr(v := getattr(self, n), "resolve_expression")}
        if found:
            type(self).objects.using(using).filter(pk=self.pk).update(**found)
            self.refresh_from_db(using=using, fields=found)

    def _be_sure(self, using: str) -> None:
        """After a rollback of the transaction that wrote this row, what it remembers never was.

        A row from a fixture remembers nothing.
        """
        if self._loaded and (self._written_by is None or self._written_by.stands(using)):
            return
        self._written_by = None
        if row := self._read(using, {field.attname for field in self._meta.concrete_fields}):
            self._loaded = row
        else:
            self._state.adding = True

    def _read(self, using: str, attnames: Iterable[str]) -> dict[str, Any]:
        plain: models.QuerySet[Self] = models.QuerySet(type(self), using=using)
        rows = plain.filter(pk=self.pk).select_for_update()
        return rows.values(*attnames).first() or {}

    def _vouch(self, using: str) -> None:
        if connections[using].in_atomic_block:
            self._written_by = _Written()
            transaction.on_commit(self._written_by, using=using)

    def _assign(self, values: Mapping[Any, Any]) -> None:
        for field, value in values.items():
            plain = value.pk if isinstance(value, models.Model) else value
            setattr(self, field.attname, field.to_python(plain))

    def _continuing(self, earlier: Self) -> Self:
        """This fresh copy, remembering what the earlier one had loaded."""
        self._loaded = earlier._loaded
        return self

    def _differing(self, update_fields: Iterable[str] | None = None) -> set[str]:
        """Attribute names whose value is not the one that was loaded; a field that was not loaded differs if set."""
        wanted = None if update_fields is None else set(update_fields)
        loaded, now, missing = self._loaded, self.__dict__, object()
        return {
            field.attname
            for field in self._meta.concrete_fields
            if field.attname in now
            and (wanted is None or field.name in wanted or field.attname in wanted)
            and loaded.get(field.attname, missing) != now[field.attname]
        }

    def _written(self, attnames: set[str] | None = None) -> Change:
        """Moves the memory forward over the fields given (all that differ, if none) and tells what they were."""
        differing = self._differing(attnames)
        before = {name: self._loaded.get(name) for name in differing - {"updated_at"}}
        self._remember(differing)
        return Change(self, before)

    def _remember(self, attnames: set[str] | None) -> None:
        """Takes the values in hand as those stored: of the attributes given, or of all."""
        now = self.__dict__
        if attnames is None:
            self._loaded = {f.attname: _frozen(now[f.attname]) for f in self._meta.concrete_fields if f.attname in now}
        else:
            self._loaded = {**self._loaded, **{name: _frozen(now[name]) for name in attnames if name in now}}


def _frozen(value: Any) -> Any:
    """A copy of what can be changed in place (JSON, arrays), so that a later edit is seen."""
    return copy.deepcopy(value) if isinstance(value, (dict, list)) else value


def _chunks(items: Sequence[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


__all__ = [
    "Change",
    "TrackedManager",
    "TrackedModel",
    "TrackedQuerySet",
    "rows_changed",
    "rows_deleted",
]
