"""The base of every resource. THE place where rows are narrowed to the caller's workspace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.parsers import BaseParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from workspaces.models import Workspace
from workspaces.rules import lock_in_order

from . import chunks, collisions, filtering, idempotency
from .authentication import Caller
from .cursors import Cursors
from .described import described
from .errors import NotUnderstood
from .pagination import MAX_COUNT, MAX_LIMIT, Page
from .parsers import StrictJSONParser
from .permissions import Area

M = TypeVar("M", bound=Model)
Json = dict[str, Any]

# For as_view(): which method answers what, at the address of a list and at that of a row.
MANY: Json = {"get": "list", "post": "create"}
ONE: Json = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
WRITES = ("post", "patch", "delete")


class WorkspaceViewSet(GenericViewSet[M], Generic[M]):
    """Lists, reads and deletes the caller's rows of `model`; create and update come with the mixins below.

    A subclass says how a row leads to its workspace (`workspace_lookup`); one that does not cannot be defined.
    """

    model: ClassVar[type[Model]]
    workspace_lookup: ClassVar[str]
    """The path from a row to its workspace, as in a filter: `workspace`, `case__workspace`."""
    scope_area: ClassVar[Area] = Area.DOMAIN
    not_found: ClassVar[str] = "Nothing can be found."
    shown: ClassVar[str] = ""
    """The schema of what is shown of a row, by its name in the API's description."""
    listed: ClassVar[str] = ""
    """The same in a list, where that differs."""
    noun: ClassVar[tuple[str, str]] = ("", "")
    """What people call a row, and many: for the API's description. The model's own names, unless given."""
    filters: ClassVar[Mapping[str, filtering.Filter]] = {}
    sortable: ClassVar[Collection[str] | Mapping[str, str]] = ("created_at", "updated_at")
    """Names for `sort`, or columns by name where they differ."""
    default_sort: ClassVar[str] = "created_at"
    max_limit: ClassVar[int] = MAX_LIMIT
    max_count: ClassVar[int] = MAX_COUNT
    """How far the rows of a list are counted, unless its page lies beyond."""
    flags: ClassVar[Collection[str]] = ()
    """Other query parameters of the list: each true or false (`self.flag(name)`)."""
    row_flags: ClassVar[Collection[str]] = ()
    """The same where one row is shown."""
    calls_outside: ClassVar[Collection[str]] = ()
    """Actions that wait for somebody else's server: no transaction is held around them."""

    parser_classes: Sequence[type[BaseParser]] = (StrictJSONParser,)
    lookup_value_regex = "[^/]+"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if getattr(cls, "__parameters__", ()):  # a base of several resources: the model is still open
            return
        for name in ("model", "workspace_lookup"):
            if not hasattr(cls, name):
                raise TypeError(f"{cls.__name__} must set `{name}`: rows are shown to their own workspace only.")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        for method in WRITES:
            if handler := getattr(self, method, None):
                setattr(self, method, collisions.looked_at_again(self._once(handler) if method == "post" else handler))
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        chunks.gather(request._request)

    def _once(self, handler: collisions.Handler) -> collisions.Handler:
        def handle(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            outside = self.action in self.calls_outside
            answer = partial(handler, request, *args, **kwargs)
            return idempotency.once(request, self.workspace, answer, calls_outside=outside)

        return handle

    @property
    def workspace(self) -> Workspace:
        caller = self.request.user
        if not isinstance(caller, Caller):
            raise TypeError("Only API keys call this API.")
        return caller.workspace

    def get_queryset(self) -> QuerySet[M]:
        rows = self.model._default_manager.filter(**{self.workspace_lookup: self.workspace})
        return cast("QuerySet[M]", rows)

    def get_object(self) -> M:
        """The row that the address names. Raises 400 for what is no UUID, 404 for what is not there, or not theirs."""
        return self.find(self.get_queryset())

    def get_locked(self) -> M:
        """As get_object(), for a change in the caller's transaction: nobody else changes the row before its end."""
        if getattr(self.model, "above", None):
            lock_in_order(self.get_object())
        return self.find(self.get_queryset().select_for_update(of=("self",), no_key=True))

    def find(self, rows: QuerySet[M]) -> M:
        found = rows.filter(pk=self.get_id()).first()
        if found is None:
            raise NotFound(self.not_found)
        return found

    def get_id(self, name: str = "pk") -> UUID:
        try:
            return UUID(self.kwargs[name])
        except ValueError:
            raise NotUnderstood("The identifier in the address must be a UUID.") from None

    def represent(self, rows: QuerySet[M]) -> list[Json]:
        """What the API shows of these rows, in their order, with a constant number of queries."""
        raise NotImplementedError

    def represent_one(self, pk: UUID) -> Json:
        found = self.represent(self.get_queryset().filter(pk=pk))
        if not found:
            raise NotFound(self.not_found)
        return found[0]

    def row(self, pk: UUID) -> Json:
        """The columns of one row. Raises 404."""
        rows: list[Json] = list(self.get_queryset().filter(pk=pk).values())
        if not rows:
            raise NotFound(self.not_found)
        return rows[0]

    def flag(self, name: str) -> bool:
        """Whether a request that reads says so. One that writes is not asked: it must not be refused once it wrote."""
        return self.request.method in SAFE_METHODS and filtering.flag(self.request.query_params, name)

    def list(self, request: Request) -> Response:
        query, every = request.query_params, self.get_queryset()
        page = Page.parse(query, self.max_limit)
        for name in self.flags:
            self.flag(name)  # also one that changes nothing must be true or false
        rows = filtering.apply(every, query, self.filters, self.flags)
        rows = filtering.sort(rows, query, self._columns(), self.default_sort)
        cursors = Cursors.of(rows, f"{self.workspace.pk} {request.path}")
        if cursors is None:
            page.refuse_cursor()
            return Response(page.envelope(self.represent(rows[page.rows]), self._count(rows, page)))
        # In two steps: what is shown of a time is too coarse to go on from.
        keys, behind = page.cut(rows, cursors)
        data = self.represent(every.filter(pk__in=keys).order_by(*rows.query.order_by))
        return Response(page.envelope(data, self._count(rows, page), next_cursor=behind))

    def _count(self, rows: QuerySet[M], page: Page) -> int:
        """All of them; beyond `max_count` those up to the end of the page, and one more if there is one.

        Who asks for pages until they have shown as many as this says has then seen every row.
        """
        return rows.order_by()[: max(self.max_count, page.rows.stop + 1)].count()

    def _columns(self) -> Mapping[str, str]:
        return self.sortable if isinstance(self.sortable, Mapping) else {name: name for name in self.sortable}

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(self.represent_one(self.get_id()))

    def destroy(self, request: Request, pk: str) -> Response:
        with transaction.atomic():
            self.get_locked().delete()
        return Response(status=status.HTTP_204_NO_CONTENT)

    def valid(self, serializer: BaseSerializer[Any]) -> Any:
        """The validated data. Raises ValidationError, which becomes a 400 that names each field."""
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data


class PingView(APIView):
    """Tells whose key this is."""

    scope_area = Area.OPEN

    @described(summary="Tell whose key this is", gives="Ping")
    def get(self, request: Request) -> Response:
        if not isinstance(request.user, Caller):
            raise Http404
        return Response({"workspace_name": request.user.workspace.name})
