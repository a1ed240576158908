"""What a row in hand remembers: the values that were loaded or written, and whether these still stand."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models

from .commits import Fate, fate


@dataclass(frozen=True, slots=True)
class Change:
    """One row that was written: the row as it is now, and the fields that differ as they were before."""

    row: RememberingModel
    before: Mapping[str, Any] | None
    """Old values by attribute name (`template_id`); None when the row is new."""


class RememberingModel(models.Model):
    """Knows which of its values are not those of the database."""

    change: Change | None = None
    """What the latest save() wrote; for receivers of post_save."""
    _loaded: Mapping[str, Any] = MappingProxyType({})
    _fate: Fate | None = None
    """Of the latest write; None: nothing was written, or it is final."""
    _doubted: frozenset[str] = frozenset()
    """Attribute names that were written since the latest commit: what a rollback would undo."""

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **options: Any) -> Self:
        instance = super().from_db(db, field_names, values, **options)
        instance._loaded = {name: _frozen(value) for name, value in instance.__dict__.items() if name in _names(cls)}
        return instance

    def refresh_from_db(
        self, using: str | None = None, fields: Iterable[str] | None = None, from_queryset: Any = None
    ) -> None:
        names = None if fields is None else list(fields)
        super().refresh_from_db(using=using, fields=names, from_queryset=from_queryset)
        self._remember([f.attname for f in _fields(type(self)) if names is None or {f.name, f.attname} & {*names}])

    @property
    def is_being_created(self) -> bool:
        """This copy's latest save() inserted the row, in a transaction that is still open."""
        new = self.change is not None and self.change.before is None
        return new and self._fate is not None and self._fate.is_open(self._state.db or "default")

    def stored(self) -> Mapping[str, Any]:
        """The row as this copy last loaded or wrote it, by attribute name: without edits that were not saved.

        Raises DoesNotExist when parts were not loaded and the row is gone.
        """
        if missing := _names(type(self)).keys() - self._loaded.keys():
            plain: models.QuerySet[Self] = models.QuerySet(type(self), using=self._state.db)
            self._loaded = {**plain.filter(pk=self.pk).values(*missing).get(), **self._loaded}
        return self._loaded

    def _be_sure(self, using: str) -> None:
        """After a rollback, what this row remembers of its writes may never have been: asks the database, once.

        A row from a fixture remembers nothing.
        """
        if self._loaded and (self._fate is None or self._fate.stands(using)):
            return
        key = type(self)._meta.pk.attname
        names = self._doubted if self._loaded else frozenset(_names(type(self)))
        outlived = self._fate is not None and self._fate.ended  # so the row was committed, whatever is in it
        row = self._read(using, names)
        if not row and key in names and not outlived:
            self._state.adding = True
            return
        kept = {name: value for name, value in self._loaded.items() if name not in names or name == key}
        self._loaded, self._fate = {**kept, **row}, None
        self._vouch(using, names - {key} if outlived else names)

    def _read(self, using: str, attnames: Iterable[str]) -> dict[str, Any]:
        """These values as they are now, and locks the row; empty when it is gone."""
        plain: models.QuerySet[Self] = models.QuerySet(type(self), using=using)
        return plain.filter(pk=self.pk).select_for_update(no_key=True).values(*attnames).first() or {}

    def _vouch(self, using: str, attnames: Iterable[str]) -> None:
        """What was just written stands or falls with the transaction that is open."""
        before = frozenset[str]() if self._fate is None or self._fate.committed else self._doubted
        self._fate, self._doubted = fate(using), before | frozenset(attnames)

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
            for field in _fields(type(self))
            if field.attname in now
            and (wanted is None or field.name in wanted or field.attname in wanted)
            and (old := loaded.get(field.attname, missing)) != (new := now[field.attname])
            and old != _normal(field, new)
        }

    def _written(self, attnames: set[str] | None = None) -> Change:
        """Moves the memory forward over the fields given (all that differ, if none) and tells what they were."""
        differing = self._differing(attnames)
        before = {name: self._loaded.get(name) for name in differing - {"updated_at"}}
        self._remember(differing)
        return Change(self, before)

    def _remember(self, attnames: Iterable[str]) -> None:
        """Takes the values in hand as those stored."""
        now, fields = self.__dict__, _names(type(self))
        known = {name: _frozen(_normal(fields[name], now[name])) for name in attnames if name in now}
        self._loaded = {**self._loaded, **known}

    def _remember_all(self, using: str) -> None:
        """This row was just inserted, as it is in hand."""
        self._loaded, self._doubted = {}, frozenset()
        self._remember(_names(type(self)))
        self._vouch(using, _names(type(self)))


def _fields(model: type[models.Model]) -> Iterable[models.Field[Any, Any]]:
    return model._meta.concrete_fields


_by_name: dict[type[models.Model], dict[str, models.Field[Any, Any]]] = {}


def _names(model: type[models.Model]) -> dict[str, models.Field[Any, Any]]:
    """The concrete fields by attribute name."""
    if model not in _by_name:
        _by_name[model] = {field.attname: field for field in _fields(model)}
    return _by_name[model]


def _frozen(value: Any) -> Any:
    """A copy of what can be changed in place (JSON, arrays), so that a later edit is seen."""
    return copy.deepcopy(value) if isinstance(value, (dict, list)) else value


def _normal(field: models.Field[Any, Any], value: Any) -> Any:
    """As the database will give it back: the text of a key becomes the key, "50" a number."""
    if value is None or hasattr(value, "resolve_expression"):
        return value
    try:
        return field.to_python(value)
    except ValidationError:
        return value  # the database will say what is wrong with it
