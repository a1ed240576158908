"""Where everything is served: the admin, the API under /v1, and what describes it."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from dotfile_hooks.openapi import views as openapi
from workspaces.api.errors import unknown_path

admin.site.site_header = admin.site.site_title = "Dotfile Hooks"
admin.site.site_url = None  # there is no site beside the admin to view
admin.site.index_title = "Cases, checks and webhooks"
handler400 = "workspaces.api.errors.bad_request"
handler500 = "workspaces.api.errors.server_error"

urlpatterns = [
    path("admin/", admin.site.urls),
    path("v1/", include("workspaces.api.urls")),
    path("v1/", include("cases.api.urls")),
    path("v1/", include("checks.api.urls")),
    path("v1/", include("deliveries.api.urls")),
    path("v1/openapi.json", openapi.description, name="openapi"),
    re_path("^v1(/|$)", unknown_path),
    path("docs/", openapi.page, name="openapi-page"),
    path("docs/<path:name>", openapi.guide, name="guide"),
]
