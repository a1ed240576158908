"""People who may look at the admin's pages, and no more."""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client

from tests import factories


def viewer(*models: type[Model]) -> Client:
    """A signed-in member of staff with the permission to view rows of these models."""
    person = factories.user(is_staff=True)
    for model in models:
        person.user_permissions.add(Permission.objects.get(codename=f"view_{model._meta.model_name}"))
    client = Client()
    client.force_login(person)
    return client
