"""What the data of several types have in common."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def nulls(*names: str) -> Json:
    return dict.fromkeys(names)
