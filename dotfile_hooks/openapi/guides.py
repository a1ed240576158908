"""Pages of docs/ that integrators read, as HTML: whoever calls the API has no checkout of it."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from pathlib import Path

from django.conf import settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

GUIDES = ("integrators", "receivers", "receivers/signatures", "events", "cases", "documents")
AT = "/docs/"
# Files that the API itself serves.
SERVED = {"openapi.json": "/v1/openapi.json"}
_ELSEWHERE = re.compile(r"[a-z]+:|#")


@cache
def guide(name: str) -> tuple[str, str]:
    """The title and the HTML of one of GUIDES. Raises KeyError for what is none."""
    if name not in GUIDES:
        raise KeyError(name)
    markdown = MarkdownIt("commonmark").enable("table")
    text = (Path(settings.BASE_DIR) / f"docs/{name}.md").read_text(encoding="utf-8")
    tokens = markdown.parse(text)
    title = ""
    for opening, content in zip(tokens, tokens[1:], strict=False):
        if opening.type == "heading_open":
            opening.attrSet("id", slug(content.content))
            title = title or content.content
    for token in tokens:
        token.children = [_led(child, name) for child in token.children or ()]
    return title, markdown.renderer.render(tokens, markdown.options, {})


def slug(heading: str) -> str:
    """What links call a heading, as on GitHub."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _led(token: Token, name: str) -> Token:
    """A link to another page of docs/ leads to where that is served; to one that is not, nowhere."""
    target = token.attrGet("href") if token.type == "link_open" else None
    if isinstance(target, str) and not _ELSEWHERE.match(target):
        token.attrs = {"href": found} if (found := _served(target, name)) else {}
    return token


def _served(target: str, name: str) -> str | None:
    path, mark, part = target.partition("#")
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
    if path in SERVED:
        return SERVED[path]
    page = path.removesuffix(".md")
    return f"{AT}{page}{mark}{part}" if page in GUIDES else None
