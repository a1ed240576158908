"""/v1/users: who cases are assigned to. They are written in the admin."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet

from workspaces.api.views import Json, WorkspaceViewSet
from workspaces.models import User
from workspaces.timestamps import iso

COLUMNS = ("id", "first_name", "last_name", "email", "date_joined")


class UserViewSet(WorkspaceViewSet[User]):
    """Members of the workspace who may sign in."""

    model = User
    workspace_lookup = "workspaces"
    not_found = "No user can be found."
    shown = "Member"
    sortable: ClassVar = {"created_at": "date_joined"}
    # Dotfile's: whoever asks is shown nobody more.
    flags = ("include_suspended",)

    def get_queryset(self) -> QuerySet[User]:
        return super().get_queryset().filter(is_active=True)

    def represent(self, rows: QuerySet[User]) -> list[Json]:
        return [user(row) for row in rows.values(*COLUMNS)]


def user(row: Json) -> Json:
    """Schema User. Nobody is shown whose `suspended_at` would not be null, and roles are none of the API's."""
    return {
        "id": str(row["id"]),
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "email": row["email"],
        "role": "member",
        "created_at": iso(row["date_joined"]),
        "suspended_at": None,
    }
