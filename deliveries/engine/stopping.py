"""Tells a worker's child processes that the worker was asked to stop: Celery tells only the parent.

One byte of memory shared by the parent and the children it forks; the parent sets it when a warm shutdown begins.
"""

from __future__ import annotations

import mmap
from typing import Any

from celery.signals import worker_init, worker_shutting_down

_flag = mmap.mmap(-1, 1)


def is_stopping() -> bool:
    """Whether this worker began to shut down."""
    return _flag[0] == 1


@worker_init.connect
def _forget(**kwargs: Any) -> None:
    _flag[0] = 0


@worker_shutting_down.connect
def _remember(**kwargs: Any) -> None:
    _flag[0] = 1
