from __future__ import annotations

from django.contrib.auth import views as sessions
from django.urls import path

from accounts.pages import tenants

urlpatterns = [
    path("login", sessions.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout", sessions.LogoutView.as_view(), name="logout"),
    path("tenant", tenants.ChooseTenant.as_view(), name="choose_tenant"),
]
