"""Lists of the admin, asked for in ways that no page of it links to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.options import ModelAdmin
from django.db import models, transaction
from django.test import Client
from django.urls import reverse

import dotfile_hooks.urls  # noqa: F401  # every page is registered then

pytestmark = pytest.mark.django_db

PAGES = list(admin.site._registry.values())
OF_EVERY_LIST = ["q", "o", "p", "all", "e", "_facets", "_to_field", "_popup", "nonsense"]
TEXT = (models.CharField, models.TextField)  # any but a NUL is good


def queries(page: ModelAdmin[Any]) -> Iterator[dict[str, str]]:
    filters = [name if isinstance(name, str) else getattr(name, "parameter_name", "x") for name in page.list_filter]
    columns = [field for field in page.opts.concrete_fields if not isinstance(field, TEXT)]
    for name in [*OF_EVERY_LIST, *filters, *(f"{field.attname}__exact" for field in columns)]:
        yield {name: "a\0"}
        yield {name: ".."}
    yield from ({"a\0b": "c"}, {"e": "1", "p": "x"}, {"p": "9" * 20}, {"o": "9" * 20}, {"o": "-9.x"}, {"e": "1"})


def asked(client: Client, page: ModelAdmin[Any], query: dict[str, str]) -> Any:
    """The answer; whatever became of the transaction, the next is asked in a good one."""
    with transaction.atomic():
        address = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
        answer = client.get(address, query)
        transaction.set_rollback(True)
    return answer


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_list_fails_whatever_its_address_asks_for(admin_client: Client, page: ModelAdmin[Any]) -> None:
    admin_client.raise_request_exception = False
    answers = [(query, asked(admin_client, page, query).status_code) for query in queries(page)]
    assert [(query, status) for query, status in answers if status not in (200, 302, 400)] == []


@pytest.mark.parametrize("query", [{"q": "\0"}, {"status__exact": "a\0"}, {"\0": ""}, {"name": "a", "o\0": "b"}])
def test_a_nul_in_an_address_is_refused_in_a_sentence(admin_client: Client, query: dict[str, str]) -> None:
    answer = admin_client.get(reverse("admin:cases_case_changelist"), query)
    assert (answer.status_code, answer.content.decode()) == (
        400,
        "The address has a NUL character: no text here has one.",
    )


def test_a_value_that_no_row_can_have_is_refused_in_a_sentence(admin_client: Client) -> None:
    answer = admin_client.get(reverse("admin:workspaces_apikey_changelist"), {"scopes__exact": ".."})
    assert (answer.status_code, answer.content.decode()) == (
        400,
        "The address asks for a value that the column it names cannot have.",
    )
