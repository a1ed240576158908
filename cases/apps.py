"""Cases and who they are about: individuals, companies, tags, templates, reviews."""

from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"
