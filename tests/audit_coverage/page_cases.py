"""Forms that tenants' people and strangers send. A new route needs one line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.models import BrowserSession, Invitation, Membership, User
from accounts.people import links
from tests.audit_coverage.api_cases import URL, Case
from tests.audit_coverage.stage import Ask, Stage
from tests.factories import (
    PASSWORD,
    ApiKeyFactory,
    FileFactory,
    InvitationFactory,
    JobFactory,
    MembershipFactory,
    UserFactory,
)
from tests.harness.signing_in import code_of, enrolled

_NEW = {"new_password": "seven small boats on a lake", "repeated": "seven small boats on a lake"}
_PROOF = {"password": PASSWORD}


def _job(act: str, **traits: Any) -> Callable[[Stage], Ask]:
    def prepare(stage: Stage) -> Ask:
        job = JobFactory.create(tenant=stage.tenant, **traits)
        return Ask(f"/jobs/{job.pk}/{act}", about=None if act == "retry" else job.pk)

    return prepare


def _new_job(_stage: Stage) -> Ask:
    return Ask("/operations/transcode/new", {"input.file": "", "input.url": URL})


def _upload(stage: Stage) -> Ask:
    content = stage.media.path("film").read_bytes()
    return Ask("/files/upload?name=film.mp4", content, content_type="application/octet-stream")


def _delete_file(stage: Stage) -> Ask:
    file = FileFactory.create(tenant=stage.tenant)
    return Ask(f"/files/{file.pk}/delete", about=file.pk)


def _key(act: str) -> Callable[[Stage], Ask]:
    def prepare(stage: Stage) -> Ask:
        key = ApiKeyFactory.create(tenant=stage.tenant, role="viewer")
        return Ask(f"/keys/{key.pk}/{act}", about=key.pk)

    return prepare


def _make_key(_stage: Stage) -> Ask:
    return Ask("/keys", {"name": "other", "role": "viewer", "lifetime": "30"}, about="*")


def _choose(stage: Stage) -> Ask:
    return Ask("/tenant", {"tenant": stage.tenant.pk}, about=stage.tenant.pk)


def _sign_in(stage: Stage) -> Ask:
    form = {"username": stage.member.username, "password": PASSWORD}
    return Ask("/login", form, about=str(stage.member.pk), by="nobody", actor="user")


def _sign_in_at_the_admin(stage: Stage) -> Ask:
    form = {"username": stage.root.username, "password": PASSWORD}
    about = str(stage.root.pk)
    return Ask("/admin/login/", form, about, of_tenant=False, by="nobody", actor="staff")


def _code(stage: Stage) -> Ask:
    person = MembershipFactory.create(tenant=stage.tenant).user
    stage.browser("nobody").force_login(person)
    form = {"code": code_of(enrolled(person))}
    return Ask("/login/code", form, about=str(person.pk), by="nobody", actor="user")


def _enrol(stage: Stage) -> Ask:
    browser = stage.browser("member")
    secret = browser.get("/login/enrol").context["secret"].replace(" ", "")
    shown = type(enrolled(UserFactory.create()))(secret=secret)
    form = {"code": code_of(shown), **_PROOF}
    return Ask("/login/enrol", form, about=str(stage.member.pk))


def _sign_out(stage: Stage) -> Ask:
    return Ask("/logout", about="*")


def _register(_stage: Stage) -> Ask:
    form = {"email": "dora@example.org"}
    return Ask("/register", form, about="", of_tenant=False, by="nobody")


def _complete(_stage: Stage) -> Ask:
    token = links.sign("registration", "dora@example.org")
    form = {"username": "dora", "tenant": "atelier", **_NEW}
    return Ask(f"/register/{token}", form, about="*", of_tenant=False, by="nobody")


def _invitation(stage: Stage) -> Invitation:
    return InvitationFactory.create(tenant=stage.tenant, email="dora@example.org")


def _accept(stage: Stage) -> Ask:
    invitation = _invitation(stage)
    path = f"/invitations/{links.sign('invitation', invitation.pk)}"
    return Ask(path, {"username": "dora", **_NEW}, about=invitation.pk, by="nobody")


def _invite(_stage: Stage) -> Ask:
    form = {"email": "dora@example.org", "role": "viewer"}
    return Ask("/settings/invitations", form, about="*")


def _revoke_invitation(stage: Stage) -> Ask:
    invitation = _invitation(stage)
    return Ask(f"/settings/invitations/{invitation.pk}/revoke", about=invitation.pk)


def _forgotten(stage: Stage) -> Ask:
    form = {"email": stage.member.email}
    return Ask("/password/forgotten", form, about="", of_tenant=False, by="nobody")


def _reset(stage: Stage) -> Ask:
    """Django moves the token into the session first."""
    user = stage.member
    whose = urlsafe_base64_encode(force_bytes(user.pk))
    link = f"/password/reset/{whose}/{default_token_generator.make_token(user)}"
    path = stage.browser("nobody").get(link)["Location"]
    form = {"new_password1": _NEW["repeated"], "new_password2": _NEW["repeated"]}
    return Ask(path, form, about=str(user.pk), by="nobody", actor="user")


def _own(path: str, form: dict[str, str] | None = None) -> Callable[[Stage], Ask]:
    return lambda stage: Ask(path, form, about=str(stage.member.pk))


def _confirm(stage: Stage) -> Ask:
    said = [stage.member.pk, stage.member.email, "dora@example.org"]
    token = links.sign("email", said)
    return Ask(f"/profile/address/{token}", about=str(stage.member.pk))


def _with_authenticator(path: str) -> Callable[[Stage], Ask]:
    def prepare(stage: Stage) -> Ask:
        enrolled(stage.member)
        from tests.harness.signing_in import sign_in

        sign_in(stage.browser("member"), stage.member)
        return Ask(path, _PROOF, about=str(stage.member.pk))

    return prepare


def _other_session(stage: Stage) -> str:
    Client().force_login(stage.member)
    mine = stage.browser("member").session["entry"]["id"]
    others = BrowserSession.objects.filter(user=stage.member).exclude(public_id=mine)
    return str(others.values_list("public_id", flat=True).get())


def _revoke_session(stage: Stage) -> Ask:
    session_id = _other_session(stage)
    return Ask(f"/profile/sessions/{session_id}/revoke", about=session_id)


def _revoke_others(stage: Stage) -> Ask:
    _other_session(stage)
    return Ask("/profile/sessions/others", about="")


def _reset_authenticator(stage: Stage) -> Ask:
    lost: User = MembershipFactory.create(tenant=stage.tenant).user
    enrolled(lost)
    form = {"username": lost.username, "reason": "lost phone", **_PROOF}
    return Ask("/staff/authenticators", form, about=str(lost.pk), by="root")


def _member(act: str, form: dict[str, str] | None = None) -> Callable[[Stage], Ask]:
    def prepare(stage: Stage) -> Ask:
        membership: Membership = MembershipFactory.create(tenant=stage.tenant, role="developer")
        return Ask(f"/settings/members/{membership.pk}/{act}", form, about=str(membership.pk))

    return prepare


def _security(stage: Stage) -> Ask:
    return Ask("/settings/security", {"requires_totp": "on"}, about=stage.tenant.pk)


PAGES: dict[str, Case] = {
    "POST cancel_job": ("job.canceled", _job("cancel")),
    "POST retry_job": ("job.retried", _job("retry", failed=True)),
    "POST delete_job": ("job.deleted", _job("delete", completed=True)),
    "POST new_job": ("job.created", _new_job),
    "POST upload": ("file.created", _upload),
    "POST delete_file": ("file.deleted", _delete_file),
    "POST keys": ("api_key.created", _make_key),
    "POST rotate_key": ("api_key.rotated", _key("rotate")),
    "POST revoke_key": ("api_key.revoked", _key("revoke")),
    "POST audit_export": (
        "audit.exported",
        lambda _: Ask("/audit/export", {"format": "csv"}, about=""),
    ),
    "POST choose_tenant": ("tenant.chosen", _choose),
    "POST login": ("login.succeeded", _sign_in),
    "POST /admin/login/": ("login.succeeded", _sign_in_at_the_admin),
    "POST sign_in_code": ("totp.verified", _code),
    "POST enrol": ("totp.enrolled", _enrol),
    "POST logout": ("session.ended", _sign_out),
    "POST register": ("registration.requested", _register),
    "POST complete_registration": ("registration.completed", _complete),
    "POST accept_invitation": ("invitation.accepted", _accept),
    "POST forgotten_password": ("password.reset_requested", _forgotten),
    "POST password_reset_confirm": ("password.reset", _reset),
    "POST profile": ("person.changed", _own("/profile", {"first_name": "Dora"})),
    "POST change_address": (
        "person.email_requested",
        _own("/profile/address", _PROOF | {"email": "dora@example.org"}),
    ),
    "POST confirm_address": ("person.changed", _confirm),
    "POST change_password": ("password.changed", _own("/profile/password", _PROOF | _NEW)),
    "POST remove_authenticator": (
        "totp.removed",
        _with_authenticator("/profile/authenticator/remove"),
    ),
    "POST new_recovery_codes": (
        "recovery_code.made",
        _with_authenticator("/profile/recovery-codes"),
    ),
    "POST revoke_session": ("session.revoked", _revoke_session),
    "POST revoke_others": ("session.revoked", _revoke_others),
    "POST reset_authenticator": ("totp.reset", _reset_authenticator),
    "POST invite": ("invitation.made", _invite),
    "POST revoke_invitation": ("invitation.revoked", _revoke_invitation),
    "POST change_role": ("member.role_changed", _member("role", {"role": "viewer"})),
    "POST remove_member": ("member.removed", _member("remove")),
    "POST require_totp": ("tenant.security_changed", _security),
    # Django's form views take PUT, but read no form from it.
    "PUT login": ("", lambda _: Ask("/login", by="nobody")),
    "PUT /admin/login/": ("", lambda _: Ask("/admin/login/", by="nobody")),
    "PUT password_reset_confirm": ("", lambda stage: replace(_reset(stage), body=None)),
}
# Their change is in the session, whose row is not looked at; or it is a mail; or nothing.
UNSEEN = {
    *("POST audit_export", "POST choose_tenant", "POST login", "POST /admin/login/"),
    *("POST sign_in_code", "POST admin:logout"),
    *("POST logout", "POST register", "POST forgotten_password", "POST change_address"),
    *("POST revoke_session", "POST revoke_others"),
}
