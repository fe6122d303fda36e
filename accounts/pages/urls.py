from __future__ import annotations

from django.contrib.auth import views as sessions
from django.urls import path

from accounts.pages import api_keys, tenants

urlpatterns = [
    path("keys", api_keys.Keys.as_view(), name="keys"),
    path("keys/<slug:key_id>/rotate", api_keys.RotateKey.as_view(), name="rotate_key"),
    path("keys/<slug:key_id>/revoke", api_keys.RevokeKey.as_view(), name="revoke_key"),
    path("login", sessions.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", sessions.LogoutView.as_view(), name="logout"),
    path("tenant", tenants.ChooseTenant.as_view(), name="choose_tenant"),
]
