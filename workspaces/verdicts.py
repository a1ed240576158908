"""Verdicts in the admin: as actions on the list, and as buttons on the page of a row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from .editing import EditingAdmin
from .models import User

Decide = Callable[[Any, User | None], object]


class VerdictAdmin(EditingAdmin):
    """For rows whose verdicts are actions; a button on the page of a row sends the same action."""

    change_form_template = "workspaces/admin/verdicts.html"

    def verdicts(self, row: Any) -> list[str]:
        """Names of the actions that this row can take now."""
        raise NotImplementedError

    def decide(self, request: HttpRequest, rows: QuerySet[Any], decide: Decide, done: str) -> HttpResponse | None:
        """Decides on each row, and tells what was refused. Back to the page that the button was on."""
        user = request.user if isinstance(request.user, User) else None
        count = 0
        for row in rows.order_by("pk"):
            try:
                decide(row, user)
                count += 1
                self.log_change(request, row, f"Decided: {done}.")
            except ValidationError as error:
                self.message_user(request, f"{row}: {' '.join(error.messages)}", messages.ERROR)
        if count:
            self.message_user(request, f"{count} {self.opts.verbose_name}(s) {done}.", messages.SUCCESS)
        if "from_page" in request.POST and (row := rows.first()):
            return redirect(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change", row.pk)
        return None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        may = row is not None and self.has_change_permission(request, row)
        possible = self.verdicts(row) if may else []
        labels = [(name, name.replace("_", " ").capitalize()) for name in possible]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "verdicts": labels})
