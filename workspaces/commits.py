"""What became of a transaction: whether what was written in it stands."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper


class Fate:
    """The end of one transaction or savepoint, shared by all that is written in it.

    Django replaces its list of hooks whenever it rolls back, to a savepoint too, even one that atomic() did not make.
    As long as the list is the one that was there at the time of the write, nothing was undone; when it is another,
    something was, perhaps not this: then only the database knows.
    """

    __slots__ = ("_hooks", "_level", "committed", "ended")

    def __init__(
        self, hooks: list[Any] | None = None, level: frozenset[str] = frozenset(), known: bool = False
    ) -> None:
        self._hooks, self._level = hooks, level
        self.committed = known
        """Certain to stand."""
        self.ended = known
        """The transaction was committed; what was undone in it before is another question."""

    def __call__(self) -> None:
        """At the commit. Django takes each hook off its list first: it stays on a list that was replaced."""
        self.committed = not self._is_on(self._hooks)
        self.ended, self._hooks = True, None

    def stands(self, using: str) -> bool:
        """Committed, or still to be. False: ask the database."""
        return self.committed or self._is_of(connections[using])

    def is_open(self, using: str) -> bool:
        """Neither committed nor rolled back."""
        connection = connections[using]
        return not self.ended and (self._is_of(connection) or self._is_on(connection.run_on_commit))

    def fits(self, connection: BaseDatabaseWrapper, level: frozenset[str]) -> bool:
        """Whether what is written now will have this fate."""
        return self._is_of(connection) and self._level == level

    def _is_of(self, connection: BaseDatabaseWrapper) -> bool:
        return self._hooks is not None and self._hooks is connection.run_on_commit

    def _is_on(self, hooks: list[Any] | None) -> bool:
        return any(hook[1] is self for hook in hooks or ())

    def __deepcopy__(self, memo: dict[int, Any]) -> Fate:
        return self  # the copy of a row was written when the row was

    def __reduce__(self) -> tuple[Any, ...]:
        return Fate, (None, frozenset(), self.committed)  # elsewhere, what is not committed is not certain


_latest: WeakKeyDictionary[BaseDatabaseWrapper, Fate] = WeakKeyDictionary()


def fate(using: str) -> Fate | None:
    """The fate of what is written now; None outside a transaction, where it is final. One hook per savepoint."""
    connection = connections[using]
    if not connection.in_atomic_block:
        return None
    level = savepoints(connection)
    latest = _latest.get(connection)
    if latest is None or not latest.fits(connection, level):
        latest = _latest[connection] = Fate(connection.run_on_commit, level)
        connection.on_commit(latest)
    return latest


def savepoints(connection: BaseDatabaseWrapper) -> frozenset[str]:
    """Those that are open. For an atomic() without a savepoint, Django's list has a None."""
    return frozenset(connection.savepoint_ids) - {None}
