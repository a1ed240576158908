"""What happens to checks. Refusals are sentences (ValidationError); rows whose status may change are locked first."""

from checks.choices import DECIDED

from .common import decide as _decide
from .common import made_review
from .expiry import expire_checks
from .monitoring import is_monitored, report_monitoring_alert, report_monitoring_hit, set_monitoring
from .results import record_aml_result, record_result
from .reviews import HIT_VERDICTS, VERDICTS, force_review, refuse_force, refuse_review, review_check, review_hits
from .starting import restart, set_processing, start_check

__all__ = [
    "DECIDED",
    "HIT_VERDICTS",
    "VERDICTS",
    "_decide",
    "expire_checks",
    "force_review",
    "is_monitored",
    "made_review",
    "record_aml_result",
    "record_result",
    "refuse_force",
    "refuse_review",
    "report_monitoring_alert",
    "report_monitoring_hit",
    "restart",
    "review_check",
    "review_hits",
    "set_monitoring",
    "set_processing",
    "start_check",
]
