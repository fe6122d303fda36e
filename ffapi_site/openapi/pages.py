"""The description itself, OpenAPI 3.1, and the two pages that show it."""

from __future__ import annotations

from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)
from rest_framework.renderers import JSONRenderer

# Both pages write styles; neither runs a script that is not ours.
_own_styles = csp_update({"style-src": [SELF, UNSAFE_INLINE]})
_own_worker = csp_update(
    {
        "style-src": [SELF, UNSAFE_INLINE],
        "worker-src": [SELF, "blob:"],  # it searches in one
    }
)


class Schema(SpectacularJSONAPIView):
    renderer_classes = [JSONRenderer]

    @extend_schema(exclude=True)
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]


@method_decorator(_own_styles, name="dispatch")
class SwaggerUI(SpectacularSwaggerSplitView):
    url_name = "openapi"


@method_decorator(_own_worker, name="dispatch")
class Reference(SpectacularRedocView):
    url_name = "openapi"
    template_name = "api/redoc.html"
