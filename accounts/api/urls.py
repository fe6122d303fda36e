from __future__ import annotations

from django.urls import path

from accounts.api.tenant import OwnTenant

urlpatterns = [path("tenant", OwnTenant.as_view(), name="api-tenant")]
