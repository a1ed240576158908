"""What the forms of the admin change, what they leave as it is, and what they refuse."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client

from cases import services
from cases.models import Case, CaseFlag, Note, NoteComment
from cases.models.notes import COMMENTS_PER_NOTE
from cases.models.rules import deriving_flags
from deliveries.models import Event
from tests import factories
from tests.workspaces.crowd import meanwhile

from .test_admin import page_of, sent_by

pytestmark = pytest.mark.django_db


def told() -> list[str]:
    return list(Event.objects.order_by("sequence").values_list("name", flat=True))


def forget() -> None:
    Event.objects.all().delete()


def post(client: Client, row: Any, **changes: Any) -> Any:
    """Sends the page of this row as a browser would, with these changes."""
    return client.post(page_of(row), {**sent_by(client, row), **changes})


def errors(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.context["adminform"].form.errors)


@pytest.fixture
def case() -> Case:
    made = factories.case(status="draft")
    forget()
    return made


def test_one_save_of_status_tags_and_risk_is_three_events(admin_client: Client, case: Case) -> None:
    tag = factories.tag(case.workspace, "High risk")
    answer = post(admin_client, case, status="open", tags=[str(tag.pk)], risk_level="high", risk_comment="Hm.")
    assert answer.status_code == 302
    assert told() == ["Case.StatusUpdated", "Case.RiskUpdated", "Case.TagsUpdated"]
    risk = Case.objects.get().risk or {}
    assert (risk["level"], risk["comment"], risk["mode"]) == ("high", "Hm.", "manual")


def full_case() -> Case:
    """A draft that has a value in everything its form shows, some of it as only code can write it."""
    case = factories.case(status="draft", name=" Dotfile ", flags=["for_recollection", "for_first_collect"])
    services.assess_risk(case, "high", mode="automatic", score=5, comment="Line\nline ")
    services.open_portal(case, "Onboarding", "KYC")
    services.trigger_wait_step(case, "documents")
    with deriving_flags():
        Case.objects.update(flags=["for_recollection", "for_review", "for_first_collect"])
    return Case.objects.get()


def browser(sent: dict[str, Any]) -> dict[str, Any]:
    """Ends of lines as browsers send them."""
    return {name: "\r\n".join(value.split("\n")) if isinstance(value, str) else value for name, value in sent.items()}


def test_a_full_case_that_is_saved_as_it_is_is_not_written(admin_client: Client) -> None:
    case = full_case()
    forget()
    assert admin_client.post(page_of(case), browser(sent_by(admin_client, case))).status_code == 302
    assert Case.objects.get().updated_at == case.updated_at
    assert told() == []


def test_a_level_that_a_person_sets_keeps_the_score(admin_client: Client) -> None:
    case = full_case()
    post(admin_client, case, risk_level="low")
    risk = Case.objects.get().risk or {}
    assert (risk["level"], risk["mode"], risk["score"]) == ("low", "manual", 5)


@pytest.mark.parametrize("sent", [{"risk_level": "huge"}, {"risk_comment": "Hm."}])
def test_a_risk_that_makes_no_sense_is_refused(admin_client: Client, case: Case, sent: dict[str, str]) -> None:
    assert "risk_level" in errors(post(admin_client, case, **sent))
    assert told() == []


def test_a_risk_is_not_taken_away(admin_client: Client) -> None:
    assert "Choose a level" in errors(post(admin_client, full_case(), risk_level=""))


def test_flags_are_ticked_beside_those_that_follow_from_checks(admin_client: Client) -> None:
    case = full_case()
    post(admin_client, case, flags=["for_first_collect", "first_collect_completed"])
    assert Case.objects.get().flags == ["for_review", "for_first_collect", "first_collect_completed"]
    page = admin_client.get(page_of(case)).content.decode()
    assert 'value="for_review"' not in page
    assert "for_review" in page


@pytest.mark.parametrize("flag", ["for_review", "all_checks_approved"])
def test_a_flag_that_follows_from_checks_cannot_be_sent(admin_client: Client, case: Case, flag: str) -> None:
    assert CaseFlag(flag)
    assert f"{flag} is no flag that is set by hand." in errors(post(admin_client, case, flags=[flag]))
    assert Case.objects.get().flags == []


def test_a_wait_step_is_triggered_and_completed(admin_client: Client, case: Case) -> None:
    post(admin_client, case, portal_name="Onboarding", portal_type="KYB")
    post(admin_client, case, wait_step_key="documents")
    post(admin_client, case, wait_step_key="")
    assert told() == ["Case.ClientPortalWaitStepTriggered"]
    assert (Case.objects.get().client_portal or {})["wait_step_key"] is None


@pytest.mark.parametrize(
    ("status", "sent", "sentence"),
    [
        ("draft", {"portal_name": "A"}, "has a name and a type"),
        ("draft", {"wait_step_key": "a"}, "has a name and a type"),
        ("open", {"portal_name": "A", "portal_type": "KYC", "wait_step_key": "a"}, "while the case is a draft"),
        ("draft", {"portal_name": "A", "portal_type": "KYX"}, "portal_type"),
    ],
)
def test_a_portal_that_may_not_be_is_refused(
    admin_client: Client, case: Case, status: str, sent: dict[str, str], sentence: str
) -> None:
    Case.objects.update(status=status)
    forget()
    assert sentence in errors(post(admin_client, case, **sent))
    assert told() == []


def test_a_case_without_a_portal_again(admin_client: Client) -> None:
    post(admin_client, full_case(), portal_name="", portal_type="", wait_step_key="")
    assert Case.objects.get().client_portal is None


@pytest.mark.parametrize("kind", ["individual", "company"])
def test_a_rule_that_is_broken_in_a_form_is_told(admin_client: Client, case: Case, kind: str) -> None:
    main = factories.company(case)
    factories.company(case, type="affiliated")
    forget()
    row, change = (main, {"type": "affiliated"}) if kind == "company" else (factories.individual(case), {})
    forget()
    if kind == "individual":
        change = {"is_signatory": "on"}
    assert errors(post(admin_client, row, **change))
    assert told() == []


@pytest.mark.django_db(transaction=True)
def test_a_form_is_compared_with_the_case_as_it_is_when_it_is_sent(
    admin_client: Client, transactional_db: None
) -> None:
    case = factories.case()
    sent = sent_by(admin_client, case)
    with deriving_flags():
        answer = meanwhile(
            lambda: Case.objects.update(flags=["for_review"]),
            lambda: admin_client.post(page_of(case), {**sent, "flags": ["for_recollection"]}),
        )
    assert answer.status_code == 302
    assert Case.objects.get().flags == ["for_review", "for_recollection"]


def test_an_external_id_that_another_case_has_is_refused_on_the_page(admin_client: Client, case: Case) -> None:
    factories.case(case.workspace, external_id="taken")
    forget()
    assert "has this external_id" in errors(post(admin_client, case, external_id="taken"))
    assert told() == []


@pytest.mark.parametrize("verdicts", [["approved"], ["approved", "rejected"], ["closed"]])
def test_a_page_that_was_open_during_a_verdict_does_not_undo_it(admin_client: Client, verdicts: list[str]) -> None:
    case, (*earlier, last) = factories.case(), verdicts
    for verdict in earlier:
        services.review_case(case, verdict, reviewer_type="api")
    sent = sent_by(admin_client, case)
    assert 'name="initial-status"' in admin_client.get(page_of(case)).content.decode()
    services.review_case(case, last, reviewer_type="api")
    forget()
    assert admin_client.post(page_of(case), {**sent, "name": "Renamed"}).status_code == 302
    found = Case.objects.get()
    assert (found.name, found.status, told()) == ("Renamed", last, ["Case.InfoUpdated"])


def test_whoever_reopens_a_case_on_a_page_that_is_old_does_so(admin_client: Client) -> None:
    case = factories.case()
    sent = sent_by(admin_client, case)
    services.review_case(case, "approved", reviewer_type="api")
    assert admin_client.post(page_of(case), {**sent, "status": "draft"}).status_code == 302
    assert Case.objects.get().status == "draft"


def test_a_page_that_is_old_does_not_undo_tags_or_flags(admin_client: Client) -> None:
    case = factories.case(flags=["for_recollection"])
    was, since = (factories.tag(case.workspace, label) for label in ("was", "since"))
    case.tags.add(was)
    sent = sent_by(admin_client, case)
    answer = post(admin_client, case, tags=[str(since.pk)], flags=["for_first_collect"])
    assert answer.status_code == 302
    forget()
    assert admin_client.post(page_of(case), {**sent, "name": "Renamed"}).status_code == 302
    found = Case.objects.get()
    assert (found.name, [*found.tags.all()], found.flags) == ("Renamed", [since], ["for_first_collect"])
    assert told() == ["Case.InfoUpdated"]


def test_tags_and_flags_that_came_since_are_not_undone_by_a_page_without_any(admin_client: Client) -> None:
    case = factories.case()
    sent = sent_by(admin_client, case)
    tag = factories.tag(case.workspace, "since")
    post(admin_client, case, tags=[str(tag.pk)], flags=["for_recollection"])
    admin_client.post(page_of(case), {**sent, "name": "Renamed"})
    found = Case.objects.get()
    assert (found.name, [*found.tags.all()], found.flags) == ("Renamed", [tag], ["for_recollection"])


def test_tags_and_flags_can_be_taken_away_on_the_page(admin_client: Client) -> None:
    case = factories.case(flags=["for_recollection"])
    case.tags.add(factories.tag(case.workspace, "was"))
    sent = sent_by(admin_client, case)
    assert admin_client.post(page_of(case), {**sent, "tags": [], "flags": []}).status_code == 302
    found = Case.objects.get()
    assert ([*found.tags.all()], found.flags) == ([], [])


def test_the_page_sends_along_which_tags_and_flags_it_showed(admin_client: Client) -> None:
    case = factories.case(flags=["for_recollection"])
    tag = factories.tag(case.workspace, "shown")
    case.tags.add(tag)
    text = admin_client.get(page_of(case)).content.decode()
    for name, value in (("initial-tags", tag.pk), ("initial-flags", "for_recollection")):
        assert re.search(rf'<input type="hidden" name="{name}" value="{value}"', text)


# --- Periodic reviews -------------------------------------------------------------------------------------------------


def test_the_button_confirms_an_approval_whose_review_is_scheduled(admin_client: Client) -> None:
    case = factories.case()
    services.review_case(case, "approved", reviewer_type="api", next_review_at=date(2031, 1, 1))
    assert 'value="approve"' in admin_client.get(page_of(case)).content.decode()
    admin_client.post("/admin/cases/case/", {"action": "approve", "_selected_action": str(case.pk), "from_page": "1"})
    assert told()[-1] == "Case.ReviewConfirmed"
    assert 'value="approve"' not in admin_client.get(page_of(case)).content.decode()


def test_a_periodic_review_is_scheduled_moved_and_called_off_on_the_page(admin_client: Client) -> None:
    case = factories.case()
    services.review_case(case, "approved", reviewer_type="api")
    forget()
    for day, shown in (("2031-01-01", date(2031, 1, 1)), ("2031-02-01", date(2031, 2, 1)), ("", None)):
        assert post(admin_client, case, next_review_at=day).status_code == 302
        assert Case.objects.get().next_review_at == shown
    assert told() == ["Case.ReviewUpdated"] * 3


@pytest.mark.parametrize("day", ["2031-01-01", "soon"])
def test_a_periodic_review_that_may_not_be_is_refused_on_the_page(admin_client: Client, case: Case, day: str) -> None:
    assert "next_review_at" in errors(post(admin_client, case, next_review_at=day))
    assert (told(), Case.objects.get().next_review_at) == ([], None)


def test_a_page_with_a_periodic_review_that_is_saved_as_it_is_changes_nothing(admin_client: Client) -> None:
    case = factories.case()
    services.review_case(case, "approved", reviewer_type="api", next_review_at=date(2031, 1, 1))
    forget()
    assert post(admin_client, case).status_code == 302
    assert (told(), Case.objects.get().next_review_at) == ([], date(2031, 1, 1))


# --- Notes ------------------------------------------------------------------------------------------------------------


def comments_of(client: Client, note: Note) -> dict[str, Any]:
    """What a browser would send of the page of a note, its comments included."""
    (inline,) = client.get(page_of(note)).context["inline_admin_formsets"]
    values = {
        form.add_prefix(name): form[name].value() for form in inline.formset.initial_forms for name in form.fields
    }
    return {**sent_by(client, note), **{name: value for name, value in values.items() if value is not None}}


@pytest.fixture
def note(case: Case) -> Note:
    made = services.add_note(case, "<p>Hello</p>\n ")
    services.add_comment(made, "Yes\nYes ")
    forget()
    return made


def test_a_note_is_written_with_its_first_comment(admin_client: Client, admin_user: Any, case: Case) -> None:
    counts = {"comments-TOTAL_FORMS": "1", "comments-INITIAL_FORMS": "0"}
    sent = {"case": str(case.pk), "content": "<p>Hello</p>", "comments-0-content": "Yes", **counts}
    assert admin_client.post("/admin/cases/note/add/", sent).status_code == 302
    assert told() == ["Note.Created", "NoteComment.Created"]
    assert {Note.objects.get().author, NoteComment.objects.get().author} == {admin_user}


def test_a_note_that_is_saved_as_it_is_changes_nothing(admin_client: Client, note: Note) -> None:
    assert admin_client.post(page_of(note), browser(comments_of(admin_client, note))).status_code == 302
    assert told() == []


def test_a_comment_is_edited_and_deleted_on_the_page_of_its_note(admin_client: Client, note: Note) -> None:
    sent = comments_of(admin_client, note)
    admin_client.post(page_of(note), {**sent, "comments-0-content": "No"})
    admin_client.post(page_of(note), {**sent, "comments-0-DELETE": "on"})
    assert told() == ["NoteComment.Updated", "NoteComment.Deleted"]


def test_html_is_shown_as_text(admin_client: Client, note: Note) -> None:
    Note.objects.update(content="<script>alert(1)</script>")
    page = admin_client.get(page_of(note)).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_too_many_comments_are_refused_on_the_page(admin_client: Client, note: Note) -> None:
    NoteComment.objects.bulk_create(NoteComment(note=note, content="a") for _ in range(COMMENTS_PER_NOTE - 2))
    sent = comments_of(admin_client, note)
    new = {f"comments-{COMMENTS_PER_NOTE - 1 + n}-content": "b" for n in range(2)}
    answer = admin_client.post(page_of(note), {**sent, **new, "comments-TOTAL_FORMS": str(COMMENTS_PER_NOTE + 1)})
    assert answer.status_code == 200
    assert NoteComment.objects.count() == COMMENTS_PER_NOTE - 1


@pytest.mark.parametrize("content", ["", "   "])
def test_an_empty_note_is_refused(admin_client: Client, note: Note, content: str) -> None:
    answer = admin_client.post(page_of(note), {**comments_of(admin_client, note), "content": content})
    assert "content" in errors(answer)
