"""Filters that only cases have."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import ClassVar

from django.db.models import Exists, OuterRef, Q

from cases.models import Tag
from workspaces.api.filtering import Filter, Strings


@dataclass(frozen=True)
class Tags(Filter):
    """By label, in any case."""

    operators: ClassVar[tuple[str, ...]] = Strings.operators

    def condition(self, operator: str, value: str) -> Q:
        labelled = [Tag.objects.filter(cases=OuterRef("pk"), label__iexact=word) for word in value.split(",")]
        has = [Q(Exists(tags)) for tags in labelled]
        if operator == "array_overlap":
            return reduce(or_, has)
        every = reduce(and_, has)
        return every if operator == "array_contains" else ~every
