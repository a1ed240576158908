"""What follows from findings for a document, and from its documents for a check. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from .analysers import Finding, Severity
from .models import Decision


def decide(fields: Mapping[str, Any], findings: Iterable[Finding]) -> Decision:
    """One ground to reject is enough; a doubt, or nothing that could be read, is for people."""
    severities = {finding.severity for finding in findings}
    if Severity.REJECT in severities:
        return Decision.REJECTED
    return Decision.REVIEW_REQUIRED if Severity.DOUBT in severities or not fields else Decision.ACCEPTED


def of_check(decisions: Collection[str]) -> Decision | None:
    """Of all documents of a check, with "" for those that are not decided; None: wait for these."""
    for decision in (Decision.REJECTED, Decision.REVIEW_REQUIRED):
        if decision in decisions:
            return decision
    return Decision.ACCEPTED if decisions and "" not in decisions else None
