"""Bulk operations that tell what they changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Self, TypeVar

from django.db import NotSupportedError, models
from django.dispatch import Signal
from django.utils import timezone

from .memory import Change
from .rules import RuledModel, all_or_nothing, lock_above, tell_above
from .values import refuse_values

M = TypeVar("M", bound=RuledModel)

# Rows locked and rewritten by one statement. Larger ones are no cheaper.
CHUNK = 1000

# Sent once per bulk operation, inside its transaction, when all its rows are locked and written: receivers may lock in
# an order of their own. The rows are in memory then, some 5 kB each.
# Arguments: sender (the model), changes (list[Change]), using (alias).
rows_changed = Signal()
# Around a delete, of one row or by a query, inside its transaction: before anything else is locked, and when the
# cascade is done. Arguments: sender, rows (locked; stored() tells what they were), using.
rows_deleting = Signal()
rows_deleted = Signal()


class TrackedQuerySet(models.QuerySet[M]):
    """Bulk operations that lock rows in key order and announce each row they changed."""

    _later: list[Change] | None = None
    """Where changes are collected that are announced by somebody else."""

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]  # not in the stubs: Django's own way to copy a query
        clone._later = self._later
        return clone

    def update(self, **kwargs: Any) -> int:
        """As Django's, with `updated_at`; rows that would not change are not written."""
        if self.query.is_sliced:
            raise TypeError("Cannot update a query once a slice has been taken.")
        refuse_values(self.model, kwargs)
        kwargs.setdefault("updated_at", timezone.now())
        matched = 0
        changes: list[Change] = []
        with self._all_or_nothing():
            ids = list(self.order_by("pk").values_list("pk", flat=True))
            self._lock_above(ids, kwargs)
            for chunk in _chunks(ids):
                count, changed = self._update_chunk(chunk, kwargs)
                matched += count
                changes += changed
            self._announce(changes)
        return matched

    update.alters_data = True  # type: ignore[attr-defined]  # Django's mark: templates may not call it

    def _all_or_nothing(self) -> AbstractContextManager[None]:
        """A refusal after some rows were written undoes these, and the caller's transaction goes on."""
        return all_or_nothing(self.model, self.db, savepoint=self._later is None)

    def _lock_above(self, ids: Sequence[Any], names: Iterable[str] | None = None) -> None:
        """Before the rows with these keys are locked, and no others: one that comes later has a row above of its own.

        `names`: the columns that will change; None: they all go.
        """
        above = self.model.above
        if above and self._later is None and (names is None or above.by & self._attnames(names)):
            lock_above(self.model, above, self._by_key(ids).order_by().values_list(above.field, flat=True), self.db)

    def _attnames(self, names: Iterable[str]) -> set[str]:
        return {field.attname for field in self.model._meta.concrete_fields if {field.name, field.attname} & {*names}}

    def _update_chunk(self, ids: Sequence[Any], kwargs: dict[str, Any]) -> tuple[int, list[Change]]:
        rows = self._lock(ids)
        matched = len(rows)
        values = {self.model._meta.get_field(name): value for name, value in kwargs.items()}
        constant = not any(hasattr(value, "resolve_expression") for value in values.values())
        follows: dict[Any, dict[str, Any]] = {}
        if constant:
            for row in rows:
                row._assign(values)
                follows[row.pk] = row._completed()
            rows = [row for row in rows if row._differing() - {"updated_at"}]
        super(TrackedQuerySet, self.order_by().filter(pk__in=[row.pk for row in rows])).update(**kwargs)
        if not constant:
            now = {row.pk: row for row in self._by_key([row.pk for row in rows])}
            rows = [now[row.pk]._continuing(row) for row in rows]
            follows = {row.pk: row._completed() for row in rows}
        self._fill_in({row.pk: follows[row.pk] for row in rows})
        return matched, [row._written() for row in rows]

    def _fill_in(self, follows: Mapping[Any, dict[str, Any]]) -> None:
        """Writes what complete() filled in: rows that get the same in one statement."""
        same: defaultdict[str, list[Any]] = defaultdict(list)
        for key, values in follows.items():
            if values:
                same[repr(values)].append(key)
        for keys in same.values():
            self._by_key(keys).order_by().update(**follows[keys[0]])

    def _by_key(self, ids: Sequence[Any]) -> models.QuerySet[M]:
        plain: models.QuerySet[M] = models.QuerySet(self.model, using=self.db)
        return plain.filter(pk__in=ids).order_by("pk")

    def _lock(self, ids: Sequence[Any]) -> list[M]:
        """Those of the rows that are there and, once locked, still match."""
        # Not FOR UPDATE: a row that points here may be inserted meanwhile, and whoever inserts it holds later locks.
        rows = list(self._by_key(ids).select_for_update(no_key=True))
        matching = set(self.order_by().filter(pk__in=ids).values_list("pk", flat=True))
        return [row for row in rows if row.pk in matching]

    def _announce(self, changes: Iterable[Change]) -> None:
        changes = [change for change in changes if change.before is None or change.before]
        if self._later is not None:
            self._later += changes
        elif changes:
            self.model.refuse(changes, self.db)
            self.model.accompany(changes, self.db)
            rows_changed.send(sender=self.model, changes=changes, using=self.db)
            tell_above(self.model, changes, self.db)

    def bulk_update(self, objs: Iterable[M], fields: Iterable[str], batch_size: int | None = None) -> int:
        """As Django's, in key order, at most 1,000 rows a statement."""
        rows, names = sorted(objs, key=lambda row: row.pk), list(fields)
        changes: list[Change] = []
        collecting = self._clone()
        collecting._later = changes
        attnames = self._attnames(names)
        for row in rows:
            refuse_values(self.model, {name: getattr(row, name) for name in attnames})
        with self._all_or_nothing():
            self._lock_above([row.pk for row in rows], names)
            count = super(TrackedQuerySet, collecting).bulk_update(rows, names, min(batch_size or CHUNK, CHUNK))
            for row in rows:
                row._remember(attnames)
                row._vouch(self.db, attnames)
            self._announce(changes)
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
        if not (rows := list(objs)):
            return rows  # without a savepoint, which is two statements
        for row in rows:
            row.pk = row.pk or row._meta.pk.get_pk_value_on_save(row)
            row.complete()
            refuse_values(self.model, row.__dict__)
        ids = [row.pk for row in rows]
        with self._all_or_nothing():
            if (above := self.model.above) and (above.by_new or above.locked_by_new):
                lock_above(self.model, above, {getattr(row, above.field) for row in rows}, self.db)
            there = set(self._by_key(ids).values_list("pk", flat=True)) if ignore_conflicts else set()
            created = super().bulk_create(rows, batch_size or CHUNK, ignore_conflicts=ignore_conflicts)
            if ignore_conflicts:
                there ^= set(self._by_key(ids).values_list("pk", flat=True))
            for row in (new := [row for row in rows if not ignore_conflicts or row.pk in there]):
                row._remember_all(self.db)
            self._announce(Change(row, None) for row in new)
        return created

    def delete(self) -> tuple[int, dict[str, int]]:
        """As Django's, of the rows that match once they are locked, in key order."""
        query = self.query
        if query.is_sliced or query.combinator or query.distinct_fields or query.values_select:
            return super().delete()  # which refuses, with a sentence
        with self._all_or_nothing():
            ids = sorted(set(self.order_by().values_list("pk", flat=True)))
            self._lock_above(ids)
            rows = [row for chunk in _chunks(ids) for row in self._lock(chunk)]
            if rows:
                self.model.refuse_deletion(rows, self.db)
                rows_deleting.send(sender=self.model, rows=rows, using=self.db)
            result = self._by_key([row.pk for row in rows]).delete()
            if rows:
                rows_deleted.send(sender=self.model, rows=rows, using=self.db)
                tell_above(self.model, rows, self.db)
        self._result_cache = None
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


def _chunks(items: Sequence[Any]) -> Iterator[list[Any]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
