"""Lists in their default order need no sorting: an index has the order."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("cases", "cases_case_list"),
        ("individuals", "cases_individual_list"),
        ("companies", "cases_company_list"),
        ("checks", "checks_check_list"),
    ],
)
def test_a_page_is_read_in_the_order_of_an_index(path: str, index: str) -> None:
    client = factories.api_client(factories.workspace())
    with CaptureQueriesContext(connection) as queries:
        assert client.get(f"/v1/{path}").status_code == 200
    page = next(q["sql"] for q in queries.captured_queries if "LIMIT 21" in q["sql"])
    with connection.cursor() as cursor:
        # A table this small would be sorted whatever it has.
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off")
        cursor.execute(f"EXPLAIN {page}")
        assert index in str(cursor.fetchall())
