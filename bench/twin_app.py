"""The naive twin's Celery application: what many teams ship first. bench.twin starts a worker of it.

A task for each delivery: load the rows, sign, `requests.post`, write an attempt, save the delivery, and `self.retry`
when it failed. Celery's defaults, but for the database connection, which is kept; tables of its own.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from typing import Any, ClassVar

import django
import requests
from celery import Celery, Task
from django.apps import apps
from django.db import models

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotfile_hooks.settings")
if not apps.ready:  # in the worker; who measures has set Django up
    django.setup()

SECRET = b"k" * 32
app = Celery("twin", broker=os.environ["REDIS_URL"], set_as_current=False)
app.conf.task_default_queue = "twin"
app.conf.task_ignore_result = True
app.conf.worker_hijack_root_logger = False
app.conf["CELERY_DB_REUSE_MAX"] = 1000  # by default it would connect anew for each task, and be slower still


class Event(models.Model):
    """What happened."""

    objects: ClassVar[models.Manager[Event]] = models.Manager()
    name = models.CharField(max_length=64)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "twin"

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """An event for one URL."""

    objects: ClassVar[models.Manager[Delivery]] = models.Manager()
    event = models.ForeignKey(Event, on_delete=models.CASCADE)
    url = models.URLField()
    status = models.CharField(max_length=16, default="pending")
    attempts = models.PositiveIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "twin"

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class Attempt(models.Model):
    """One request."""

    objects: ClassVar[models.Manager[Attempt]] = models.Manager()
    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE)
    status_code = models.PositiveSmallIntegerField()
    response_body = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "twin"

    def __str__(self) -> str:
        return f"attempt {self.pk}"


MODELS: tuple[type[models.Model], ...] = (Event, Delivery, Attempt)


@app.task(bind=True, max_retries=5, default_retry_delay=60)
def send_webhook(self: Task[Any, Any], delivery_id: int) -> None:
    delivery = Delivery.objects.select_related("event").get(pk=delivery_id)
    body, timestamp = delivery.event.body.encode(), str(int(time.time()))
    signature = hmac.new(SECRET, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": str(delivery.event.pk),
        "webhook-timestamp": timestamp,
        "webhook-signature": signature,
    }
    try:
        response = requests.post(delivery.url, data=body, headers=headers, timeout=10)
    except requests.RequestException as error:
        raise self.retry(exc=error) from error
    Attempt.objects.create(delivery=delivery, status_code=response.status_code, response_body=response.text[:1024])
    delivery.attempts += 1
    delivery.status = "succeeded" if response.ok else "pending"
    delivery.save()
    if not response.ok:
        raise self.retry()
