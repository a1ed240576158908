"""Addresses of checks. Those of a type come first: `aml` is no identifier."""

from __future__ import annotations

from django.urls import path

from .views import AmlViewSet, CheckViewSet

urlpatterns = [
    path("checks/aml", AmlViewSet.as_view({"post": "create"}), name="aml-list"),
    path("checks/aml/<pk>", AmlViewSet.as_view({"get": "retrieve"}), name="aml-detail"),
    path("checks/aml/<pk>/review", AmlViewSet.as_view({"patch": "review"}), name="aml-review"),
    path("checks/aml/<pk>/hits/review", AmlViewSet.as_view({"patch": "review_hits"}), name="aml-hits-review"),
    path("checks", CheckViewSet.as_view({"get": "list"}), name="check-list"),
    path("checks/<pk>", CheckViewSet.as_view({"delete": "destroy"}), name="check-detail"),
]
