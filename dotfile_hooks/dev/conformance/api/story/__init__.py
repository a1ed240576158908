"""What an integrator does, chapter by chapter: each operation, with every field and word that it may be sent."""

from __future__ import annotations

from dotfile_hooks.dev.conformance.api.client import Client, Stuck

from . import aml, cases, checks, documents, endings, mistakes, notes, parties, tags, webhooks, workspace
from .place import Place

CHAPTERS = (workspace, cases, parties, checks, aml, documents, notes, tags, webhooks, mistakes, endings)


def tell(client: Client, place: Place) -> list[str]:
    """What kept chapters from their end; each begins with a case of its own, so that the others go on."""
    stuck = []
    for chapter in CHAPTERS:
        try:
            chapter.tell(client, place)
        except Stuck as error:
            stuck.append(f"The chapter about {chapter.__name__.rpartition('.')[2]} ended early: {error}")
    return stuck
