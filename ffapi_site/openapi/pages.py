"""The description itself, OpenAPI 3.1, and the two pages that show it."""

from __future__ import annotations

from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import (
    SpectacularJSONAPIView,
    SpectacularRedocView,
    SpectacularSwaggerSplitView,
)
from rest_framework.renderers import JSONRenderer

# ReDoc puts two styles into the page: an empty one, which it fills rule by rule, and those of its
# scroll bar. It searches in a worker.
_REDOC_S_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
)
_own_styles = csp_update({"style-src": [SELF, *_REDOC_S_STYLES], "worker-src": [SELF, "blob:"]})


class Schema(SpectacularJSONAPIView):
    renderer_classes = [JSONRenderer]

    @extend_schema(exclude=True)
    def get(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]


class SwaggerUI(SpectacularSwaggerSplitView):
    url_name = "openapi"
    template_name = "api/swagger.html"


@method_decorator(_own_styles, name="dispatch")
class Reference(SpectacularRedocView):
    url_name = "openapi"
    template_name = "api/redoc.html"
