"""The boxes in which a subscription's events are ticked: by family, with a search."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.forms.widgets import Script
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from deliveries.events.catalogue import EARLY, EVENTS, EVERYTHING, FAMILIES, WILDCARDS, names_of

Choices = list[tuple[str, str]]

ALSO_LATER = "also events that are added later."


def families() -> list[tuple[str, Choices]]:
    """The catalogue as choices: everything, then a group per family, beginning with all of it."""
    groups = [(_title(family.name), [family.wildcard, *names_of(family)]) for family in FAMILIES]
    return [(title, [(name, name) for name in names]) for title, names in [("All families", [EVERYTHING]), *groups]]


def _title(family: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", family)


def sentence(name: str) -> SafeString:
    """What a person should know of a name before ticking it."""
    if name == EVERYTHING:
        return format_html("Every event, {}", ALSO_LATER)
    if name in WILDCARDS:
        return format_html("The whole family, {}", ALSO_LATER)
    return _with_code(EARLY.get(name) or EVENTS[name].when)


def _with_code(text: str) -> SafeString:
    """What stands between backticks as code."""
    parts = enumerate(text.split("`"))
    return format_html_join("", "{}", ((format_html("<code>{}</code>", part) if n % 2 else part,) for n, part in parts))


def summary(asked: Sequence[str]) -> str:
    """For a list: `Case.*, 2 more`."""
    whole = [name for name in asked if name in WILDCARDS]
    others = len(asked) - len(whole)
    if not whole:
        return str(others)
    return ", ".join([*whole, f"{others} more"] if others else whole)


class EventPicker(forms.CheckboxSelectMultiple):
    """Checkboxes in a box per family. The search needs JavaScript, and is not shown without it."""

    template_name = "deliveries/widgets/event_picker.html"

    class Media:
        js = (Script("deliveries/event_picker.js", defer=True),)

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        note = f"{option['attrs'].get('id', value)}_note"
        option["attrs"]["aria-describedby"] = note
        event = EVENTS.get(str(value))
        return {
            **option,
            "note": note,
            "sentence": sentence(str(value)),
            "is_sub": bool(event and event.main),
            "is_whole": value in WILDCARDS,
        }


class EventsField(forms.MultipleChoiceField):
    """Takes whatever is posted: the form's clean_events refuses what does not exist, with the nearest that does."""

    widget = EventPicker

    def __init__(self) -> None:
        super().__init__(choices=families)

    def valid_value(self, value: str) -> bool:
        return True
