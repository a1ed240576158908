"""Data of checks for people to read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

# In a table of their own, and in columns.
ELSEWHERE = frozenset({"hits", "document_type"})


def as_page(data: Any) -> SafeString:
    """A table of what is known, and all of it as JSON."""
    rows = format_html_join("", '<tr><th scope="row">{}</th><td>{}</td></tr>', known(data))
    text = json.dumps(data, indent=2, ensure_ascii=False)
    whole = format_html('<details><summary>As JSON</summary><pre class="text">{}</pre></details>', text)
    return format_html('<table class="data"><tbody>{}</tbody></table>{}', rows, whole)


def known(data: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Names and values, without what is null or empty."""
    if isinstance(data, dict):
        for name, value in data.items():
            if name not in ELSEWHERE:
                yield from known(value, (*path, name.replace("_", " ")))
    elif data not in (None, "", []):
        yield ": ".join(path), _text(data)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
