"""Rules of rows: what refuses a change, and what a change means for the row above it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.dispatch import Signal

from .memory import Change, RememberingModel
from .refusals import refused

# Sent last of all in the transaction of a change, when whoever listens to that change was told.
# Arguments: sender (the model that changed), keys (of the rows above, a set), using.
above_affected = Signal()


@dataclass(frozen=True, slots=True)
class Above:
    """A foreign key to the row that some changes affect, such as the case of a check.

    It is locked before the changed rows: whoever deletes it locks it first, too, and what follows from the change is
    written to it last.
    """

    field: str
    """Attribute name of the foreign key."""
    by: frozenset[str]
    """Attribute names of the columns whose change affects it."""
    by_new: bool = True
    """A new row affects it, too."""
    by_deletion: bool = True
    """And so does a deletion."""
    locked_by_new: bool = False
    """A new row does not affect it, but whether it is allowed depends on the others under it."""


class RuledModel(RememberingModel):
    """Rules that hold on every way to a write: save(), update(), bulk_create() and bulk_update()."""

    above: ClassVar[Above | None] = None
    unique_fields: ClassVar[frozenset[str]] = frozenset()
    """Attribute names that a unique constraint is about, unless they are empty."""

    class Meta:
        abstract = True

    @classmethod
    def refuse(cls, changes: Sequence[Change], using: str) -> None:
        """Raises ValidationError with a sentence when one of these changes breaks a rule: then none is made.

        save() and forms ask before anything is written, bulk operations before anybody is told. stored() of the rows
        has the new values.
        """

    @classmethod
    def accompany(cls, changes: Sequence[Change], using: str) -> None:
        """Writes what goes with these changes, in their transaction and before anybody is told of them."""

    @classmethod
    def refuse_deletion(cls, rows: Sequence[Self], using: str) -> None:
        """Raises ValidationError with a sentence when these rows, which are locked, may not be deleted.

        Not asked when they go with the row above them.
        """

    def complete(self) -> None:
        """Fills in what follows from other columns, before any write."""

    def _completed(self) -> dict[str, Any]:
        """What complete() filled in, by attribute name."""
        before, now = dict(self.__dict__), self.__dict__
        self.complete()
        names = (field.attname for field in self._meta.concrete_fields)
        return {name: now[name] for name in names if name in before and now[name] != before[name]}

    def clean(self) -> None:
        """For forms: what save() would refuse."""
        super().clean()
        trial = copy(self)
        trial.complete()
        if self._state.adding:
            trial._remember(trial.__dict__.keys() & {field.attname for field in self._meta.concrete_fields})
            change = Change(trial, None)
        else:
            change = trial._written()
        using = self._state.db or "default"
        refuse_double(trial, trial.stored().keys() if change.before is None else change.before.keys(), using)
        self.refuse([change], using)


def lock_above(model: type[RuledModel], above: Above, keys: Iterable[Any], using: str) -> None:
    """Locks the rows above with these keys that are there, in order; not against rows that point to them."""
    to: Any = model._meta.get_field(above.field.removesuffix("_id")).related_model
    rows: models.QuerySet[Any] = models.QuerySet(to, using=using)
    wanted = sorted(set(keys) - {None})
    list(rows.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def lock_in_order(row: models.Model) -> None:
    """Locks the row above this one, if it has one: call it before you lock the row itself to change it."""
    if isinstance(row, RuledModel) and (above := row.above):
        lock_above(type(row), above, [getattr(row, above.field)], row._state.db or "default")


def tell_above(model: type[RuledModel], gone_or_changed: Iterable[Change | RuledModel], using: str) -> None:
    """Sends `above_affected`, if it is. Rows stand for their deletion."""
    if (above := model.above) is None:
        return
    keys = {
        (one.row if isinstance(one, Change) else one).stored()[above.field]
        for one in gone_or_changed
        if _affects(above, one)
    }
    if keys:
        above_affected.send(sender=model, keys=keys, using=using)


def _affects(above: Above, one: Change | RuledModel) -> bool:
    if not isinstance(one, Change):
        return above.by_deletion
    return above.by_new if one.before is None else bool(above.by & one.before.keys())


def refusal(ask: Callable[[], None]) -> ValidationError | None:
    """What a rule has against it; kept, to be raised outside a transaction that it would spoil."""
    try:
        ask()
    except ValidationError as error:
        return error
    return None


@contextmanager
def all_or_nothing(model: type[models.Model], using: str, *, savepoint: bool) -> Iterator[None]:
    """One transaction; a constraint of this model that is broken in it is a refusal (ValidationError).

    With a savepoint the caller's transaction goes on after it.
    """
    try:
        with transaction.atomic(using=using, savepoint=savepoint):
            yield
    except IntegrityError as error:
        if sentence := _broken_rule(model, error):
            raise sentence from None
        raise


def _broken_rule(model: type[models.Model], error: IntegrityError) -> ValidationError | None:
    """The sentence of the constraint of this model that a statement broke. PostgreSQL's own text shows the row."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
    found = next((rule for rule in model._meta.constraints if rule.name == name), None)
    return None if found is None else _sentence(found)


def _sentence(rule: models.BaseConstraint) -> ValidationError:
    sentence = str(rule.get_violation_error_message())
    columns: Sequence[str] = getattr(rule, "fields", ())
    if len(columns) > 1:
        return refused(columns[-1], sentence, "unique")  # of a workspace and its external_id, the latter is wrong
    return ValidationError(sentence, code="constraint")


def refuse_double(row: RuledModel, written: AbstractSet[str], using: str) -> None:
    """Raises ValidationError when another row has what was written to `unique_fields` of this one: one query, if any.

    Who writes the same at the same moment is refused by the constraint itself.
    """
    if any(getattr(row, name) for name in row.unique_fields & written):
        for rule in row._meta.constraints:
            if isinstance(rule, models.UniqueConstraint):
                try:
                    rule.validate(type(row), row, using=using)
                except ValidationError:
                    raise _sentence(rule) from None
