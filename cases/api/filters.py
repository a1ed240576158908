"""Filters that only cases have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Lower

from cases.models import Case
from workspaces.api.filtering import Filter, Strings

MOST = 200
"""Labels in one question: a workspace has hardly more tags."""


@dataclass(frozen=True)
class Tags(Filter):
    """By label, in any case."""

    operators: ClassVar[tuple[str, ...]] = Strings.operators

    def condition(self, operator: str, value: str) -> Q:
        """One subquery, however many labels: PostgreSQL takes minutes, and all memory, to plan hundreds."""
        words = {word.lower(): word for word in value.split(",")}
        if len(words) > MOST:
            raise ValueError(f"Name at most {MOST} tags.")
        links: QuerySet[Any] = Case.tags.through._default_manager.filter(case=OuterRef("pk"))
        found = links.annotate(word=Lower("tag__label")).filter(
            word__in=[Lower(Value(word)) for word in words.values()]
        )
        if operator == "array_overlap" or len(words) == 1:
            has = Q(Exists(found))
        else:
            has = Q(Exists(found.values("case").annotate(count=Count("pk")).filter(count=len(words))))
        return ~has if operator == "array_not_contains" else has
