"""Where everything is served: the admin, and the API under /v1."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path, re_path

from workspaces.api.errors import unknown_path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("v1/", include("workspaces.api.urls")),
    path("v1/", include("cases.api.urls")),
    path("v1/", include("checks.api.urls")),
    path("v1/", include("deliveries.api.urls")),
    re_path("^v1/", unknown_path),
]
