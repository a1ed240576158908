"""Changes of individuals and companies, whole ones and bare ones."""

from __future__ import annotations

from cases.models import Case, Company, CompanyType, Individual
from cases.services import add_company
from workspaces.models import User, Workspace

from .cases import COMPANY, INDIVIDUAL


def change(workspace: Workspace, reviewer: User) -> None:
    case = Case.objects.create(workspace=workspace, name="Parties")
    people = [Individual.objects.create(case=case, **INDIVIDUAL), *_bare(case)]
    main = add_company(case, COMPANY)
    daughters = [add_company(case, {"name": f"Daughter {n}", "type": CompanyType.AFFILIATED}) for n in range(2)]
    for person in people:
        edit(person)
    for company in [main, *daughters]:
        edit(company)
    Individual.objects.filter(case=case).update(position="Founder")
    people[0].delete()
    daughters[0].delete()
    Individual.objects.filter(case=case).delete()


def _bare(case: Case) -> list[Individual]:
    return Individual.objects.bulk_create(
        [Individual(case=case, first_name="Jane", last_name=f"ROE {n}") for n in "AB"]
    )


def edit(party: Individual | Company) -> None:
    """Told as three events: what it is, and that it counts no more, and again."""
    party.custom_properties = {"hobby": "go", "is_vip": False, "rank": 1.5, "languages": ["de"], "pet": None}
    party.save()
    if isinstance(party, Company) and party.type == CompanyType.MAIN:
        return  # the main company is always relevant
    for is_relevant in (False, True):
        party.is_relevant = is_relevant
        party.save()
