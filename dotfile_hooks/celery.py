"""The Celery application; workers and beat start from here (`celery -A dotfile_hooks`)."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotfile_hooks.settings")

app = Celery("dotfile_hooks")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
