"""Cases and who they are about: individuals, companies, tags, templates, reviews."""

from __future__ import annotations

from django.apps import AppConfig


class CasesConfig(AppConfig):
    name = "cases"

    def ready(self) -> None:
        from django.db.models.signals import m2m_changed

        from .models import Case, strangers

        m2m_changed.connect(strangers.on_tags_changed, sender=Case.tags.through, dispatch_uid="cases.tags")
