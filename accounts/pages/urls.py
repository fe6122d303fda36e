from __future__ import annotations

from django.conf import settings
from django.contrib.auth.views import LogoutView
from django.urls import path

from accounts.pages import (
    api_keys,
    audit,
    authenticator,
    invitation,
    members,
    password,
    profile,
    register,
    sessions,
    sign_in,
    tenants,
    usage,
)

urlpatterns = [
    path("keys", api_keys.Keys.as_view(), name="keys"),
    path("keys/<slug:key_id>/rotate", api_keys.RotateKey.as_view(), name="rotate_key"),
    path("keys/<slug:key_id>/revoke", api_keys.RevokeKey.as_view(), name="revoke_key"),
    path("audit", audit.AuditPage.as_view(), name="audit"),
    path("audit/export", audit.AuditExportPage.as_view(), name="audit_export"),
    path("login", sign_in.SignIn.as_view(), name="login"),
    path("login/code", sign_in.Code.as_view(), name="sign_in_code"),
    path("login/enrol", sign_in.Enrol.as_view(), name="enrol"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("usage", usage.UsagePage.as_view(), name="usage"),
    path("usage.csv", usage.UsageSheet.as_view(), name="usage_sheet"),
    path("tenant", tenants.ChooseTenant.as_view(), name="choose_tenant"),
    path("register", register.Register.as_view(), name="register"),
    path(
        "register/<str:token>",
        register.CompleteRegistration.as_view(),
        name="complete_registration",
    ),
    path(
        "invitations/<str:token>", invitation.AcceptInvitation.as_view(), name="accept_invitation"
    ),
    path("password/forgotten", password.ForgottenPassword.as_view(), name="forgotten_password"),
    path("password/sent", password.MailIsSent.as_view(), name="mail_is_sent"),
    path(
        "password/reset/<uidb64>/<token>",
        password.ResetPassword.as_view(),
        name="password_reset_confirm",
    ),
    path("profile", profile.Profile.as_view(), name="profile"),
    path("profile/address", profile.ChangeAddress.as_view(), name="change_address"),
    path("profile/address/<str:token>", profile.ConfirmAddress.as_view(), name="confirm_address"),
    path("profile/password", password.ChangePassword.as_view(), name="change_password"),
    path("profile/authenticator", authenticator.OwnAuthenticator.as_view(), name="authenticator"),
    path(
        "profile/authenticator/remove",
        authenticator.RemoveAuthenticator.as_view(),
        name="remove_authenticator",
    ),
    path(
        "profile/recovery-codes",
        authenticator.NewRecoveryCodes.as_view(),
        name="new_recovery_codes",
    ),
    path("profile/sessions", sessions.SessionList.as_view(), name="sessions"),
    path("profile/sessions/others", sessions.RevokeOthers.as_view(), name="revoke_others"),
    path(
        "profile/sessions/<slug:session_id>/revoke",
        sessions.RevokeSession.as_view(),
        name="revoke_session",
    ),
    path(
        "staff/authenticators",
        authenticator.ResetAuthenticator.as_view(),
        name="reset_authenticator",
    ),
    path("settings", members.Members.as_view(), name="members"),
    path("settings/invitations", members.Invite.as_view(), name="invite"),
    path(
        "settings/invitations/<slug:invitation_id>/revoke",
        members.RevokeInvitation.as_view(),
        name="revoke_invitation",
    ),
    path(
        "settings/members/<int:membership_id>/role",
        members.ChangeRole.as_view(),
        name="change_role",
    ),
    path(
        "settings/members/<int:membership_id>/remove",
        members.RemoveMember.as_view(),
        name="remove_member",
    ),
    path("settings/security", members.RequireTotp.as_view(), name="require_totp"),
]

if settings.OIDC_ISSUER:
    from accounts.pages import single_sign_on  # needs requirements-oidc.txt

    urlpatterns += single_sign_on.urlpatterns
