"""Names of events, and how they are presented."""

from __future__ import annotations

import pytest

from deliveries.events import catalogue
from deliveries.events.catalogue import Form


def test_there_are_46_events_and_the_early_one_and_ours() -> None:
    assert len(catalogue.EVENTS.keys() - {"Webhook.WentOffline"}) == 46
    assert catalogue.EVENTS.keys() | {"Check.Completed"} == catalogue.NAMES


@pytest.mark.parametrize(
    ("name", "asked", "expected"),
    [
        ("Case.StatusUpdated", ["Case.Updated"], Form("Case.Updated", "Case.StatusUpdated")),
        ("Case.StatusUpdated", ["Case.StatusUpdated"], Form("Case.StatusUpdated")),
        ("Case.StatusUpdated", ["Case.StatusUpdated", "Case.Updated"], Form("Case.Updated", "Case.StatusUpdated")),
        ("Case.StatusUpdated", ["Case.Created"], None),
        ("Check.Approved", ["Check.Completed"], Form("Check.Completed")),
        ("Check.Approved", ["Check.Completed", "Check.Approved"], Form("Check.Approved")),
        ("Check.Rejected", ["Check.Completed"], Form("Check.Completed")),
        ("Check.Expired", ["Check.Completed"], None),
        (
            "Individual.MarkedAsRelevant",
            ["Individual.Updated"],
            Form("Individual.Updated", "Individual.MarkedAsRelevant"),
        ),
    ],
)
def test_an_event_has_one_form_for_each_subscription(name: str, asked: list[str], expected: Form | None) -> None:
    assert catalogue.form_for(name, asked) == expected


def test_an_unknown_name_is_told_with_the_nearest_one() -> None:
    assert catalogue.complaint(["Case.Created", "Check.Aproved"]) == (
        "There is no event named Check.Aproved. Did you mean Check.Approved?"
    )
    assert catalogue.complaint(["Case.Created"]) is None
