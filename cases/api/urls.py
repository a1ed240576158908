"""Addresses of cases and of what belongs to them. Without a slash at the end, as Dotfile's."""

from __future__ import annotations

from django.urls import path

from workspaces.api.views import MANY, ONE, Json

from .notes import NoteViewSet
from .parties import CompanyViewSet, IndividualViewSet
from .tags import CaseTagsViewSet, TagViewSet
from .templates import TemplateViewSet
from .users import UserViewSet
from .views import CaseViewSet

TAGS: Json = {"get": "retrieve", "post": "add", "delete": "remove"}
RELEVANCE: Json = {"post": "set_relevant"}

urlpatterns = [
    path("cases", CaseViewSet.as_view(MANY), name="case-list"),
    path("cases/<pk>", CaseViewSet.as_view(ONE), name="case-detail"),
    path("cases/<pk>/reviews", CaseViewSet.as_view({"post": "reviews"}), name="case-reviews"),
    path("cases/<pk>/risks", CaseViewSet.as_view({"post": "risks"}), name="case-risks"),
    path("cases/<pk>/tags", CaseTagsViewSet.as_view(TAGS), name="case-tags"),
    path("cases/<case_pk>/notes", NoteViewSet.as_view({"get": "list"}), name="case-notes"),
    path(
        "cases/<pk>/complete-client-portal-wait-step",
        CaseViewSet.as_view({"post": "complete_wait_step"}),
        name="case-wait-step",
    ),
    path("individuals", IndividualViewSet.as_view(MANY), name="individual-list"),
    path("individuals/<pk>", IndividualViewSet.as_view(ONE), name="individual-detail"),
    path("individuals/<pk>/set-relevant", IndividualViewSet.as_view(RELEVANCE), name="individual-relevance"),
    path("companies", CompanyViewSet.as_view(MANY), name="company-list"),
    path("companies/<pk>", CompanyViewSet.as_view(ONE), name="company-detail"),
    path("companies/<pk>/set-relevant", CompanyViewSet.as_view(RELEVANCE), name="company-relevance"),
    path("notes", NoteViewSet.as_view({"post": "create"}), name="note-list"),
    path("notes/<pk>/comments", NoteViewSet.as_view({"post": "comment"}), name="note-comments"),
    path("tags", TagViewSet.as_view(MANY), name="tag-list"),
    path("tags/<pk>", TagViewSet.as_view(ONE), name="tag-detail"),
    path("templates", TemplateViewSet.as_view({"get": "list"}), name="template-list"),
    path("templates/<pk>", TemplateViewSet.as_view({"get": "retrieve"}), name="template-detail"),
    path("users", UserViewSet.as_view({"get": "list"}), name="user-list"),
    path("users/<pk>", UserViewSet.as_view({"get": "retrieve"}), name="user-detail"),
]
