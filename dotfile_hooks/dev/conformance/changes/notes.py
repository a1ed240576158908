"""Changes of notes and their comments, by a person and by the API."""

from __future__ import annotations

from cases import services
from cases.models import AuthorType, Case, Note
from workspaces.models import User, Workspace


def change(workspace: Workspace, reviewer: User) -> None:
    case = Case.objects.create(workspace=workspace, name="Notes")
    write(services.add_note(case, "<p>Call them back.</p>", author=reviewer), reviewer)
    write(services.add_note(case, "Imported.", author_type=AuthorType.API), None)
    Note.objects.filter(case=case).delete()


def write(note: Note, author: User | None) -> None:
    """Two answers, of which one goes; the note goes with the other one."""
    comments = [services.add_comment(note, f"<b>Done</b> {n}", author=author) for n in range(2)]
    services.edit(note, "<p>Called.</p>")
    services.edit(comments[0], "Not done.")
    comments[1].delete()
