"""Named moments at which a test may end this process, stop it, or bend its clock. Nobody else sets the hook."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

Point = Literal["built", "sent", "settling", "renewing"]
"""After a batch was built and committed; after a request was started; before outcomes are written; before leases are
renewed."""

hook: Callable[[Point], None] | None = None


def reached(point: Point) -> None:
    """Does nothing, unless a test set the hook."""
    if hook is not None:
        hook(point)
