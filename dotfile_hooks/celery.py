"""The Celery application; workers and beat start from here (`celery -A dotfile_hooks`)."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import task_prerun
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotfile_hooks.settings")

app = Celery("dotfile_hooks")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_prerun.connect
def drop_dead_connections(**kwargs: Any) -> None:
    """A database connection that failed under an earlier task is made anew: Celery itself keeps it for all its life."""
    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred:
            connection.close_if_unusable_or_obsolete()
