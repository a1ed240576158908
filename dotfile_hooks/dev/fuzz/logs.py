"""What the programs printed, read for what must not be there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

BAD = re.compile(r"^Traceback \(most recent call last\)| (?:ERROR|CRITICAL) |\[(?:ERROR|CRITICAL)\]")
NUMBERS = re.compile(r"[0-9a-f-]{8,}|[0-9][0-9,.:-]*")
MOST = 10  # different complaints that are shown


def faults(log: Path, secrets: Iterable[str]) -> list[str]:
    """Errors, each kind once, and the secrets that are there: which, not where."""
    text = log.read_text(errors="replace")
    kinds = Counter(NUMBERS.sub("…", line)[:200] for line in text.splitlines() if BAD.search(line))
    told = [f"The log says {count} times: {line}" for line, count in kinds.most_common(MOST)]
    return told + [f"The log tells {secret[:8]}…" for secret in secrets if secret in text]
