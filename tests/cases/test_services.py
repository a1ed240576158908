"""What happens to cases, without the API around it."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from cases import services
from cases.models import Case, CaseReview, CaseStatus, Individual, ReviewerType, ReviewStatus
from tests import factories
from workspaces.changes import Change, rows_changed

pytestmark = pytest.mark.django_db

ALLOWED = {
    ("draft", "closed"),
    ("open", "approved"),
    ("open", "rejected"),
    ("open", "closed"),
    ("approved", "rejected"),
    ("approved", "closed"),
    ("rejected", "approved"),
    ("rejected", "closed"),
}


@pytest.mark.parametrize("before", CaseStatus.values)
@pytest.mark.parametrize("wanted", ReviewStatus.values)
def test_which_decisions_are_possible(before: str, wanted: str) -> None:
    case = factories.case(status=before)
    if (before, wanted) in ALLOWED:
        services.review_case(case, wanted, reviewer_type=ReviewerType.API)
    else:
        with pytest.raises(ValidationError):
            services.review_case(case, wanted, reviewer_type=ReviewerType.API)
    after = wanted if (before, wanted) in ALLOWED else before
    assert Case.objects.get(pk=case.pk).status == after
    assert CaseReview.objects.exclude(reviewer_type="system").count() == ((before, wanted) in ALLOWED)


def test_a_stale_copy_does_not_decide_twice() -> None:
    case = factories.case()
    stale = Case.objects.get(pk=case.pk)
    services.review_case(case, "approved", reviewer_type=ReviewerType.API)
    with pytest.raises(ValidationError, match="already approved"):
        services.review_case(stale, "approved", reviewer_type=ReviewerType.API)


def test_a_case_that_cannot_be_created_whole_is_not_created() -> None:
    with pytest.raises(ValidationError, match="needs an email"):
        services.create_case(
            factories.workspace(),
            {"name": "a"},
            individuals=[{"first_name": "A", "last_name": "B", "is_signatory": True}],
        )
    assert not Case.objects.exists()
    assert not Individual.objects.exists()


def test_the_early_role_makes_a_beneficial_owner_wherever_it_is_set() -> None:
    assert factories.individual(roles=["beneficial_owner"]).is_beneficial_owner


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"is_delegator": True, "is_signatory": True, "email": "a@example.com"}, "delegates_or_signs"),
        ({"is_business_contact": True}, "can_be_reached"),
        ({"is_relevant": False, "is_delegator": True}, "delegator_is_relevant"),
    ],
)
def test_the_database_keeps_the_rules_too(fields: dict[str, Any], constraint: str) -> None:
    plain: QuerySet[Individual] = QuerySet(Individual)  # which asks no rule
    factories.individual()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        plain.update(**fields)


@pytest.mark.parametrize("field", ["template", "assignee"])
def test_a_case_that_loses_its_template_or_assignee_is_a_changed_case(field: str) -> None:
    workspace = factories.workspace()
    related = factories.template(workspace) if field == "template" else factories.user(workspace)
    case = factories.case(workspace, **{field: related})
    seen: list[Change] = []

    def listen(changes: list[Change], **kwargs: Any) -> None:
        seen.extend(changes)

    rows_changed.connect(listen, sender=Case)
    try:
        key = related.pk
        related.delete()
    finally:
        rows_changed.disconnect(listen, sender=Case)
    assert [(change.row.pk, change.before) for change in seen] == [(case.pk, {f"{field}_id": key})]
    assert Case.objects.filter(pk=case.pk, **{field: None}).exists()
