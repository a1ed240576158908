"""Analysers for workers of their own: one that fails, one that does not come to an end."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date

from checks.documents.analysers import Extraction, File, Finding


class Failing:
    def extract(self, file: File, today: date) -> Extraction:
        raise ValueError("ERIKSSON")

    def examine(self, file: File, extraction: Extraction, today: date) -> Sequence[Finding]:
        return []


class Endless:
    def extract(self, file: File, today: date) -> Extraction:
        threading.Event().wait()
        return Extraction()

    def examine(self, file: File, extraction: Extraction, today: date) -> Sequence[Finding]:
        return []
