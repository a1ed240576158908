"""Individuals and companies of a case."""

from __future__ import annotations

from dotfile_hooks.dev.conformance.api.client import Client

from .bodies import COMPANIES, NO_RELATIONS, PEOPLE, Body, each
from .place import Place


def tell(client: Client, place: Place) -> None:
    case = client.post("/v1/cases", body={"name": "Parties"})["id"]
    of_case = {"case_id": case, **NO_RELATIONS}
    people = _made(client, "/v1/individuals", each(PEOPLE, **of_case), PEOPLE)
    companies = _made(client, "/v1/companies", each(COMPANIES, **of_case), [_without_type(one) for one in COMPANIES])
    for is_relevant in (False, True):
        client.post("/v1/individuals/{id}/set-relevant", people[1], body={"is_relevant": is_relevant})
        client.post("/v1/companies/{id}/set-relevant", companies[1], body={"is_relevant": is_relevant})


def _made(client: Client, path: str, bodies: list[Body], changes: list[Body]) -> list[str]:
    """Their ids; each is changed to all that may be said."""
    keys: list[str] = [client.post(path, body=body)["id"] for body in bodies]
    client.get(path)
    for key, body in zip(keys, changes, strict=True):
        client.get(path + "/{id}", key)
        client.patch(path + "/{id}", key, body=body)
    return keys


def _without_type(company: Body) -> Body:
    return {name: value for name, value in company.items() if name != "type"}
