"""What the tests of the admin share: people with and without permissions, and how to read a page."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from tests import factories

from .browser import BROWSER

collect_ignore = [] if BROWSER else ["test_picker_script.py"]


@pytest.fixture
def admin(db: None) -> Client:
    """Signed in as somebody who may do everything."""
    return signed_in(is_superuser=True)


def signed_in(*permissions: str, **fields: Any) -> Client:
    """Staff with these permissions on deliveries, such as `view_subscription`."""
    person = factories.user(is_staff=True, **fields)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return client


def page(model: str, name: str = "change", pk: Any = None) -> str:
    """The address of a page of deliveries."""
    return reverse(f"admin:deliveries_{model}_{name}", args=[pk] if pk else [])


def read(response: Any) -> str:
    """The page's source."""
    assert response.status_code == 200, response.content.decode()[:2000]
    text: str = response.content.decode()
    return text


def told(response: Any) -> str:
    """The messages at the top of a page, as a person reads them."""
    return html.unescape(" ".join(re.findall(r'<li class="(?:success|warning|error|info)">(.*?)</li>', read(response))))
