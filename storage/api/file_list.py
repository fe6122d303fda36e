"""Which of a tenant's files a list shows."""

from __future__ import annotations

from django.db.models import Q
from rest_framework.request import Request

from accounts.models import Tenant
from ffapi_site.lib import query
from ffapi_site.lib.ids import is_public_id
from storage.content_types import DEFAULT, content_type_of
from storage.models import File, FileQuerySet

FILTERS = ("tag", "format", "created_after", "created_before", "search")


def filtered(request: Request, tenant: Tenant) -> FileQuerySet:
    """Apply the query's filters to the tenant's files.

    Raises ``Invalid`` for a value that can't be read.
    """
    wanted = {
        "created_at__gt": query.moment(request, "created_after"),
        "created_at__lt": query.moment(request, "created_before"),
    }
    files = File.objects.for_tenant(tenant).published()
    files = files.filter(**{name: at for name, at in wanted.items() if at})
    if (tag := query.text(request, "tag")) is not None:
        files = files.filter(tags__contains=[tag])
    if (wanted_format := query.text(request, "format")) is not None:
        files = files.filter(_is_in(wanted_format.lower()))
    if searched := query.text(request, "search"):
        by_name = files.searchable().filter(name__icontains=searched)
        files = files.filter(pk=searched) if is_public_id(searched) else by_name
    return files


def _is_in(wanted_format: str) -> Q:
    """Match a content type (``video/mp4``), a family (``video``) or an extension (``mp4``)."""
    if "/" in wanted_format:
        return Q(content_type=wanted_format)
    by_name = Q(name__iendswith=f".{wanted_format}")
    by_family = Q(content_type__startswith=f"{wanted_format}/")
    content_type = content_type_of(f"x.{wanted_format}")
    by_type = Q(pk__in=[]) if content_type == DEFAULT else Q(content_type=content_type)
    return by_name | by_family | by_type
