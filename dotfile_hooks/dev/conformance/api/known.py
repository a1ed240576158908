"""What is known, and no mistake: where Dotfile's document cannot be right, and what this API does not take."""

from __future__ import annotations

import re

# By operation and place of its answer.
CONTRADICTIONS = {
    ("GET /v1/users", "data[].suspended_at"): "who is listed is not suspended, so that there is no date",
    ("GET /v1/users/{}", "suspended_at"): "who is shown is not suspended, so that there is no date",
}
# Fields of bodies, as coverage names them: a list that may be sent empty.
NOT_TAKEN = re.compile(r"((?:.*\.)?relations\[\]).*")
INDEX = re.compile(r"\[\d+\]")


def contradiction(operation: str, place: str) -> str | None:
    """Why the document cannot mean what it says of this place of an answer; None: it can."""
    return CONTRADICTIONS.get((operation, INDEX.sub("[]", place)))
