"""What vendors say, said by hand on the page of a check: for workspaces without a connection to one, and for trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from rest_framework.exceptions import ParseError

from checks import services
from checks.aml import parse_hits
from checks.choices import AlertCategory
from checks.models import WAITING, Check, CheckType, Result
from workspaces.api import parsers

NONE = "none"
RESULTS = [*Result.values, NONE]


def answers(check: Check) -> dict[str, Any]:
    """What can be said now, for the template: `result`, `hits`, `alert`, each with its choices or True."""
    waits, monitored = check.status in WAITING, services.is_monitored(check)
    if check.type == CheckType.AML:
        return {"hits": True} if waits or monitored else {}
    result = {"result": RESULTS} if waits else {}
    return result | ({"alert": AlertCategory.values} if monitored else {})


def say(check: Check, said: Mapping[str, str]) -> Check:
    """Records one answer. Raises ValidationError with a sentence for one that cannot be."""
    if "alert" in said:
        return services.report_monitoring_alert(check, said["alert"])
    if "hits" in said:
        hits = parse_hits(said["hits"].replace("\0", "").splitlines())
        if check.status in WAITING:
            return services.record_aml_result(check, hits)
        return services.report_monitoring_hit(check, hits)
    result = said.get("result", "")
    if result not in RESULTS:
        raise ValidationError("Choose what the result is.")
    return services.record_result(check, None if result == NONE else result, **_found(said.get("found", "")))


def _found(text: str) -> dict[str, Any]:
    try:
        found = parsers.read(text.encode(), "This") if text.strip() else {}
    except ParseError as error:
        raise ValidationError(str(error.detail)) from None
    if not isinstance(found, dict):
        raise ValidationError("Write what was found as a JSON object.")
    return found
