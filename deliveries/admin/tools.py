"""The buttons on a subscription's page: show the secret, rotate it, send a test event. Each use is logged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import date
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from deliveries import recovery, services
from deliveries.models import Recovery, Subscription
from workspaces.typed import ModelAdmin

from .base import pretty
from .forms import INPUT, RecoveryForm, RotationForm

View = Callable[..., HttpResponse]


class SubscriptionTools(ModelAdmin):
    """Pages of one subscription beside its form. All of them need the permission to change it."""

    def get_urls(self) -> list[URLPattern]:
        def tool(name: str, view: View, *methods: str) -> URLPattern:
            guarded = never_cache(require_http_methods(methods)(view))
            return path(f"<uuid:pk>/{name}/", self.admin_site.admin_view(guarded), name=f"deliveries_webhook_{name}")

        own = [
            tool("secret", self.show_secret, "POST"),
            tool("rotate", self.rotate_secret, "GET", "HEAD", "POST"),
            tool("test", self.send_test, "POST"),
            tool("recover", self.recover, "GET", "HEAD", "POST"),
        ]
        return [*own, *super().get_urls()]

    def show_secret(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        row = self._permitted(request, pk)
        self.log_change(request, row, "Looked at the secret.")
        previous = row.previous_secret if len(row.signing_secrets()) > 1 else None
        return self._page(request, row, "secret", "Secret", secret=row.secret, previous=previous)

    def rotate_secret(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        row = self._permitted(request, pk)
        form = RotationForm(row, request.POST if request.method == "POST" else None)
        if not form.is_valid():
            until = timezone.now() + timedelta(seconds=settings.SECRET_GRACE)
            return self._page(request, row, "rotate", "Rotate the secret", until=until, form=form)
        new, at_once = form.cleaned_data["secret"], form.cleaned_data["at_once"]
        row = services.rotate_secret(row, new, grace=0 if at_once else None)
        self.log_change(request, row, "Rotated the secret.")
        messages.success(request, _rotated(row))
        return HttpResponseRedirect(self._address(row))

    def send_test(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        row = self._permitted(request, pk)
        trial = services.send_trial(row)
        self.log_change(request, row, "Sent a test event.")
        return self._page(request, row, "trial", "Test event", trial=trial, body=pretty(trial.request_body))

    def recover(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Shows how many deliveries a range has, and starts the job."""
        row = self._permitted(request, pk)
        is_post = request.method == "POST"
        form = RecoveryForm(request.POST if is_post else request.GET if "since" in request.GET else _proposed(row))
        starts = is_post and "count" not in request.POST
        if starts and form.is_valid() and (job := self._start(request, row, form)):
            return HttpResponseRedirect(reverse("admin:deliveries_recovery_change", args=[job.pk]))
        asked = form.cleaned_data if form.is_valid() else {}
        number = recovery.found(row, asked["since"], asked["until"]) if asked else None
        return self._page(request, row, "recover", "Recover", form=form, number=number)

    def _start(self, request: HttpRequest, row: Subscription, form: RecoveryForm) -> Recovery | None:
        try:
            job = recovery.start_recovery(row, **form.cleaned_data, requested_by=request.user.get_username())
        except services.Refused as refused:
            form.add_error(None, str(refused))
        except ValidationError as error:
            form.add_error(None, error)
        else:
            self.log_change(request, row, "Started a recovery.")
            messages.success(request, "The recovery is running. This page shows how far it is when you load it again.")
            return job
        return None

    def _permitted(self, request: HttpRequest, pk: UUID) -> Subscription:
        row = Subscription.objects.select_related("workspace").filter(pk=pk).first()
        if row is None:
            raise Http404("This subscription does not exist any more.")
        if not self.has_change_permission(request, row):
            raise PermissionDenied("Ask for the permission to change subscriptions.")
        return row

    def _page(self, request: HttpRequest, row: Subscription, name: str, title: str, **context: Any) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "opts": self.opts, "original": row, "title": title}
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"deliveries/admin/{name}.html", {**common, **context})

    def _address(self, row: Subscription) -> str:
        return reverse("admin:deliveries_subscription_change", args=[row.pk])


def _proposed(row: Subscription) -> dict[str, Any]:
    """From the first that is held, or the last day, up to now."""
    now = timezone.now()
    _, first = recovery.held([row.pk]).get(row.pk, (0, now - timedelta(days=1)))
    return recovery_range(max(first, now - recovery.LONGEST + timedelta(minutes=1)), now) | {
        "rate": recovery.DEFAULT_RATE
    }


def recovery_range(since: datetime, until: datetime) -> dict[str, str]:
    """As the form of a recovery reads it, to the whole second around."""
    end = timezone.localtime(until) + timedelta(seconds=1)
    return {"since": f"{timezone.localtime(since):{INPUT}}", "until": f"{end:{INPUT}}"}


def _rotated(row: Subscription) -> str:
    if row.previous_secret_until is None:
        return "There is a new secret; the old one does not sign any more."
    until = date(timezone.localtime(row.previous_secret_until), "DATETIME_FORMAT")
    return f"There is a new secret. The old one signs too until {until}."
