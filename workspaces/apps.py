"""The ground floor: tenants, keys, tracked rows, the API's common rules."""

from __future__ import annotations

from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "workspaces"
