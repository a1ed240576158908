"""The admin of API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from . import keys, networks
from .editing import EditingAdmin
from .forms import Words
from .models import ApiKey
from .typed import ModelForm


class Networks(forms.CharField):
    """An allow list, one network in a line."""

    widget = forms.Textarea(attrs={"rows": 4, "cols": 46})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return networks.allow_list(super().clean(value).replace(",", " ").split())

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(super().has_changed("\n".join(initial or []), data))


class ApiKeyForm(ModelForm):
    scopes = Words(
        keys.Scope.choices,
        required=True,
        initial=keys.every_scope,
        help_text="Who reads webhooks also reads, in their logs, what was sent of cases and people.",
    )
    allowed_networks = Networks(
        required=False,
        help_text="Where the key is good from: a CIDR block or one address in each line. Empty: everywhere.",
    )

    class Meta:
        model = ApiKey
        fields: ClassVar = ["workspace", "name", "scopes", "allowed_networks", "expires_at"]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.instance._state.adding and cleaned and (workspace := cleaned.get("workspace")):
            ApiKey.objects.check_room(workspace)
        return cleaned

    def clean_expires_at(self) -> datetime | None:
        """What has ended is not brought back: it would be one key too many, or a third one of a rotation."""
        end: datetime | None = self.cleaned_data["expires_at"]
        now, stored = timezone.now(), self.instance.expires_at
        if stored and stored <= now and (end is None or end > now):
            raise ValidationError("This key has ended: issue a new one instead.")
        if stored and (end is None or end > stored) and (new := self._successor()):
            raise ValidationError(f"This key is being replaced by {new}: its end can only be brought forward.")
        return end

    def _successor(self) -> ApiKey | None:
        return ApiKey.objects.live().filter(replaces=self.instance).first()


@admin.register(ApiKey)
class ApiKeyAdmin(EditingAdmin):
    """The text of a key is shown once, when it was issued or rotated."""

    form = ApiKeyForm
    list_display = ("name", "identifier", "workspace", "scope_names", "state", "last_used_at")
    list_filter = ("workspace",)
    list_select_related = ("workspace",)
    search_fields = ("name", "identifier")
    fields: ClassVar = [
        *["workspace", "name", "scopes", "allowed_networks", "expires_at"],
        *["identifier", "state", "replaces", "last_used_at", "revoked_at", "created_at"],
    ]
    readonly_fields = ("identifier", "state", "replaces", "last_used_at", "revoked_at", "created_at")
    autocomplete_fields = ("workspace",)
    actions = ("rotate", "revoke")

    @admin.display(description="scopes")
    def scope_names(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    def get_readonly_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        return self.readonly_fields if obj is None else (*self.readonly_fields, "workspace")

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm, change: bool) -> None:
        if change:
            obj.save(update_fields=form.changed_data)  # else a key that ends at this moment would be brought back
            return
        names = ("name", "scopes", "allowed_networks", "expires_at")
        issued, text = ApiKey.objects.issue(obj.workspace, **{name: getattr(obj, name) for name in names})
        obj.__dict__.update(issued.__dict__)
        obj.text = text

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return self._shown(request, obj, obj.text)

    def _shown(self, request: HttpRequest, key: ApiKey, text: str) -> HttpResponse:
        """The key itself, on this one page: a message would travel in a cookie."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "original": key, "text": text}
        return TemplateResponse(request, "workspaces/admin/issued.html", {**context, "title": "The new API key"})

    @admin.action(description="Rotate the selected key", permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        """Of one key: the page shows one text, once."""
        try:
            old = queryset.select_related("workspace").get()
            new, text = ApiKey.objects.rotate(old)
        except ApiKey.MultipleObjectsReturned:
            self.message_user(request, "Rotate one key at a time.", messages.ERROR)
        except ApiKey.DoesNotExist:
            self.message_user(request, "This key is no longer there.", messages.ERROR)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
        else:
            self.log_change(request, old, "Rotated.")
            self.log_addition(request, new, f"Issued in place of {old}.")
            new.refresh_from_db()
            return self._shown(request, new, text)
        return None

    @admin.action(description="Revoke selected keys", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        revoked = [key for key in queryset if key.revoke()]
        for key in revoked:
            self.log_change(request, key, "Revoked.")
        self.message_user(request, f"{len(revoked)} key(s) revoked; they are refused from now on.")
