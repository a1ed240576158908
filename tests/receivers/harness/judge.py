"""Asks the Python snippet: a line per question in, a line per answer out (languages.py has the form)."""

from __future__ import annotations

import base64
import sys

import verify  # type: ignore[import-not-found]  # the snippet, beside this program when it runs


def judged(line: str) -> str:
    function, now, *tokens = line.split()
    secret, body, *pairs = (base64.b64decode(token) for token in tokens)
    headers = {name.decode(): value.decode() for name, value in zip(pairs[::2], pairs[1::2], strict=True)}
    clock = () if now == "-" else (int(now),)
    try:
        return str(getattr(verify, function)(secret.decode(), headers, body, *clock))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


for line in sys.stdin:
    sys.stdout.write(judged(line) + "\n")
