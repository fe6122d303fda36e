from __future__ import annotations

from accounts.pages import single_sign_on
from ffapi_site.urls import (
    handler400,
    handler403,
    handler404,
    handler500,
)
from ffapi_site.urls import urlpatterns as without

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [*without, *single_sign_on.urlpatterns]
