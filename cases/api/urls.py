"""Addresses of cases, individuals and companies. Without a slash at the end, as Dotfile's."""

from __future__ import annotations

from django.urls import path

from workspaces.api.views import MANY, ONE

from .views import CaseViewSet, CompanyViewSet, IndividualViewSet

urlpatterns = [
    path("cases", CaseViewSet.as_view(MANY), name="case-list"),
    path("cases/<pk>", CaseViewSet.as_view(ONE), name="case-detail"),
    path("cases/<pk>/reviews", CaseViewSet.as_view({"post": "reviews"}), name="case-reviews"),
    path("individuals", IndividualViewSet.as_view(MANY), name="individual-list"),
    path("individuals/<pk>", IndividualViewSet.as_view(ONE), name="individual-detail"),
    path("companies", CompanyViewSet.as_view(MANY), name="company-list"),
    path("companies/<pk>", CompanyViewSet.as_view(ONE), name="company-detail"),
]
