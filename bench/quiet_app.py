"""The product's web application, but nothing is recorded: what a POST costs without events. bench.posts serves it."""

from __future__ import annotations

from contextlib import ExitStack

from dotfile_hooks.wsgi import application

from . import saves

__all__ = ["application"]

_for_ever = ExitStack()
_for_ever.enter_context(saves.receivers(False))
