from __future__ import annotations

from django.urls import path

from accounts.api import api_keys
from accounts.api.tenant import OwnTenant

urlpatterns = [
    path("tenant", OwnTenant.as_view(), name="api-tenant"),
    path("api-keys", api_keys.ApiKeys.as_view(), name="api-keys"),
    path("api-keys/<str:key_id>", api_keys.OneApiKey.as_view(), name="api-key"),
    path("api-keys/<str:key_id>/rotate", api_keys.RotateKey.as_view(), name="api-key-rotate"),
    path("api-keys/<str:key_id>/revoke", api_keys.RevokeKey.as_view(), name="api-key-revoke"),
]
