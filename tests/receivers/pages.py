"""The pages for receivers: what a reader copies from them is what the tests run."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "receivers.md"
SIGNATURES = DOCS / "receivers" / "signatures.md"


def blocks(page: Path, fence: str) -> list[str]:
    """The code between ```fence and ```, in the page's order."""
    return re.findall(rf"^```{fence}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
