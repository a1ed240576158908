"""The demo's story: a case is opened, approved, renamed, a person is screened; and what must arrive because of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import stack
from .api import Api

MAIN, EARLY = "/main", "/early"
# Today's names: an update is Case.Updated, and its sub_event says which.
MAIN_EVENTS = [
    *("Case.Created", "Case.Updated", "Case.Deleted"),
    *("Check.Started", "Check.ReviewNeeded", "Check.Approved", "Check.Rejected", "Check.Deleted"),
]
# Names for those who want only these: the sub-event by itself, and the early Check.Completed.
EARLY_EVENTS = ["Case.StatusUpdated", "Check.Completed"]

REFUSED = "Check.ReviewNeeded"
# Seconds of Retry-After. The first is longer than the normal delay (4 to 6 s), so it is honoured;
# the second is shorter (8 to 12 s), and must not bring the retry forward.
RETRY_AFTER = (7.0, 2.0)
SHORTEST_DELAYS = (4.0, 8.0)  # seconds: 5 and 10, less 20 %

CASE: dict[str, Any] = {
    "name": "Dotfile",
    "external_id": "exteid-3",
    "metadata": {"custom_key": "true", "my_data": "this is important", "count": "42"},
    "tags": ["High risk", "Medium risk", "Low risk"],
    "individuals": [
        {
            "roles": ["beneficial_owner"],
            "first_name": "John",
            "last_name": "CARTER",
            "birth_date": "1990-07-03",
            "birth_country": "FR",
            "residence_country": "FR",
            "ownership_percentage": 33.33,
        }
    ],
    "companies": [
        {
            "name": "Test Inc.",
            "registration_number": "012345678",
            "registration_date": "2022-12-06",
            "status": "live",
            "legal_form": "sas",
            "country": "FR",
            "address": {
                "street_address": "11 Rue Poissonnerie",
                "street_address_2": "Apartment 5",
                "postal_code": "64100",
                "city": "Bayonne",
                "region": "Pyrénées-Atlantiques",
                "country": "FR",
            },
            "classifications": [{"type": "nace", "code": "123", "description": "very busy"}],
        }
    ],
}


@dataclass(frozen=True)
class Webhook:
    """A subscription that the demo made; `path` is the receiver's."""

    id: str
    path: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Expected:
    """One delivery that must come; `retry_after` holds seconds for each try that is refused."""

    path: str
    event: str
    sub_event: str | None = None
    retry_after: tuple[float, ...] = ()

    def earliest(self, retry: int) -> float:
        """Seconds after refusal number `retry` (0: of the first try) before which the next try must not come."""
        return max(self.retry_after[retry], SHORTEST_DELAYS[retry])

    @property
    def label(self) -> str:
        return f"{self.path} {self.event}" + (f" / {self.sub_event}" if self.sub_event else "")


EXPECTED = (
    Expected(MAIN, "Case.Created"),
    Expected(MAIN, "Case.Updated", "Case.StatusUpdated"),
    Expected(EARLY, "Case.StatusUpdated"),
    Expected(MAIN, "Check.Started"),
    Expected(MAIN, REFUSED, retry_after=RETRY_AFTER),
    Expected(MAIN, "Case.Updated", "Case.FlagsUpdated"),  # for_review
    Expected(MAIN, "Check.Approved"),
    Expected(EARLY, "Check.Completed"),
    Expected(MAIN, "Case.Updated", "Case.FlagsUpdated"),  # all_checks_approved, and for_review no more
    Expected(MAIN, "Case.Updated", "Case.InfoUpdated"),
)

TOTAL = sum(len(each.retry_after) + 1 for each in EXPECTED)


def subscribe(api: Api, receiver: str) -> dict[str, Webhook]:
    """Creates the two webhooks, by path."""
    wanted = {MAIN: ("Main events", MAIN_EVENTS), EARLY: ("Sub-events and early names", EARLY_EVENTS)}
    made = {}
    for path, (name, events) in wanted.items():
        answer = api.post("webhooks", {"name": name, "url": receiver + path, "events": events})
        made[path] = Webhook(answer["id"], path, answer["secret"])
    return made


def tell(api: Api, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """The story itself: API calls, and the screening vendor's hand where the API has none."""
    say("POST /v1/cases: Dotfile, with John CARTER and Test Inc.")
    case = api.post("cases", CASE)
    say("POST /v1/cases/{id}/reviews: approved")
    api.post(f"cases/{case['id']}/reviews", {"status": "approved", "comment": "All in order."})
    say("POST /v1/checks/aml: John CARTER is screened")
    check = api.post("checks/aml", {"individual_id": case["individuals"][0]["id"]})
    say("The screening vendor finds a politically exposed John Carter")
    stack.manage(environment, "record_aml_result", check["id"], "--hit", "John Carter:pep")
    hits = api.get(f"checks/aml/{check['id']}")["data"]["hits"]
    say("PATCH /v1/checks/aml/{id}/hits/review: somebody else, ignored")
    review = {"action": "ignore", "hit_ids": [hit["id"] for hit in hits], "comment": "Born in another century."}
    api.patch(f"checks/aml/{check['id']}/hits/review", review)
    say("PATCH /v1/checks/aml/{id}/review: approved")
    api.patch(f"checks/aml/{check['id']}/review", {"action": "approve"})
    say("PATCH /v1/cases/{id}: renamed")
    api.patch(f"cases/{case['id']}", {"name": "Dotfile SAS"})
