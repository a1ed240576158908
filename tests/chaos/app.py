"""The Celery application of workers under test: the product's own, in a process that a test may hit, bend or spoil.

CHAOS_POINTS: the folder in which points are armed. CHAOS_CLOCK: seconds by which the clock is off. CHAOS_SABOTAGE: what
is broken on purpose (sabotage.py).
"""

from __future__ import annotations

import os
from pathlib import Path

from celery.signals import worker_init

from deliveries.engine import crashpoints
from dotfile_hooks.celery import app
from tests.chaos import clock, points

__all__ = ["app"]


@worker_init.connect
def prepare(**kwargs: object) -> None:
    """In the parent, before it forks."""
    if folder := os.environ.get("CHAOS_POINTS"):
        crashpoints.hook = points.hook(Path(folder))
    if way := os.environ.get("CHAOS_SABOTAGE"):
        from tests.chaos import sabotage  # Django is ready only now

        sabotage.WAYS[way]()
    if seconds := float(os.environ.get("CHAOS_CLOCK") or 0):
        clock.bend(seconds)
