"""A tenant's people: invited by mail, with a role, and never without an admin."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Invitation, Membership, Tenant, User
from accounts.people import invitations, members
from accounts.roles import Role
from ffapi_site.lib.problems import Conflict, Forbidden
from tests.factories import MembershipFactory, TenantFactory, UserFactory
from tests.harness.cast import Cast
from tests.harness.signing_in import sign_in
from tests.people.conftest import Log, PostOffice

pytestmark = pytest.mark.django_db
NEW = "dora@example.org"
PASSWORD = "a password nobody has"


@pytest.fixture
def admin(cast: Cast) -> Client:
    user = UserFactory.create(username="ada", email="ada@example.org")
    MembershipFactory.create(user=user, tenant=cast.tenant, role=Role.ADMIN)
    return sign_in(Client(), user)


@pytest.fixture
def link(admin: Client, post_office: PostOffice) -> str:
    """Where the mail of an invitation leads."""
    with post_office.open():
        form = {"email": NEW, "role": "developer"}
        assert admin.post("/settings/invitations", form).status_code == 302
    return post_office.link_to(NEW)


def membership(user: User) -> Membership:
    return Membership.objects.get(user=user)


class TestInvitations:
    FORM = {"username": "dora", "new_password": PASSWORD, "repeated": PASSWORD}

    def test_it_works(
        self, cast: Cast, admin: Client, post_office: PostOffice, log: Callable[[], Log]
    ) -> None:
        since = log()
        with post_office.open():
            admin.post("/settings/invitations", {"email": NEW, "role": "developer"})
        mail = post_office.mail_to(NEW)
        assert mail["Subject"] == "ada invites you to studio"
        client, path = Client(), post_office.link_to(NEW)
        assert "Join studio" in client.get(path).content.decode()
        assert client.post(path, self.FORM)["Location"] == "/login"
        dora = User.objects.get(username="dora")
        assert dora.email == NEW
        assert (membership(dora).tenant, membership(dora).role) == (cast.tenant, "developer")
        signed = client.post("/login", {"username": "dora", "password": PASSWORD})
        assert signed["Location"] == "/"
        told = ["invitation.made", "invitation.accepted", "login.succeeded"]
        assert since.told() == [(event, "success", cast.tenant.pk) for event in told]

    def test_somebody_who_is_here_joins_as_themselves(self, cast: Cast, link: str) -> None:
        User.objects.filter(pk=cast.charlie.pk).update(email=NEW.upper())
        client = sign_in(Client(), User.objects.get(pk=cast.charlie.pk))
        assert "Join as charlie" in client.get(link).content.decode()
        assert client.post(link)["Location"] == "/"
        assert client.get("/").context["visitor"].tenant == cast.tenant

    def test_nobody_takes_an_address_that_has_a_person(self, cast: Cast, link: str) -> None:
        User.objects.filter(pk=cast.charlie.pk).update(email=NEW)
        assert Client().post(link, self.FORM).status_code == 409
        assert not User.objects.filter(username="dora").exists()

    def test_it_is_for_one_address(self, cast: Cast, link: str) -> None:
        User.objects.filter(pk=cast.charlie.pk).update(email="charlie@example.org")
        client = sign_in(Client(), User.objects.get(pk=cast.charlie.pk))
        assert client.post(link).status_code == 409
        assert not Membership.objects.filter(user=cast.charlie, tenant=cast.tenant).exists()

    def test_nor_for_one_in_like_letters(self) -> None:
        invitation = Invitation(email="sid@example.org")
        assert not invitations.fits(invitation, User(email="\u017fid@example.org"))

    def test_nor_for_who_has_none_where_it_is_somebody_s(self, cast: Cast, link: str) -> None:
        UserFactory.create(email=NEW.upper())
        assert sign_in(Client(), cast.charlie).post(link).status_code == 409

    def test_an_address_that_was_taken_meanwhile_is_a_conflict(self, cast: Cast, link: str) -> None:
        UserFactory.create(email=NEW)
        with pytest.raises(Conflict):
            invitations.accept(Invitation.objects.get(), cast.charlie)
        assert Invitation.objects.pending().exists()

    def test_it_is_good_once(self, link: str) -> None:
        Client().post(link, self.FORM)
        assert Client().get(link).status_code == 404
        assert Client().post(link, self.FORM | {"username": "dorian"}).status_code == 404

    def test_it_ends(self, link: str) -> None:
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert Client().get(link).status_code == 404

    def test_it_can_be_withdrawn(self, admin: Client, link: str, log: Callable[[], Log]) -> None:
        since = log()
        path = f"/settings/invitations/{Invitation.objects.get().pk}/revoke"
        assert admin.post(path).status_code == 302
        assert admin.post(path).status_code == 404
        assert Client().get(link).status_code == 404
        assert since.events == ["invitation.revoked"]

    def test_a_newer_one_takes_its_place(
        self, admin: Client, link: str, post_office: PostOffice
    ) -> None:
        with post_office.open():
            admin.post("/settings/invitations", {"email": NEW, "role": "viewer"})
        assert Client().get(link).status_code == 404
        assert Invitation.objects.pending().get().role == "viewer"

    def test_so_many_are_sent_to_one_address(self, admin: Client) -> None:
        form = {"email": NEW, "role": "viewer"}
        answers = [admin.post("/settings/invitations", form) for _ in range(4)]
        assert [each.status_code for each in answers] == [302] * 3 + [429]
        assert "too many invitations" in answers[-1].content.decode().lower()

    def test_and_so_many_by_one_person_and_of_one_tenant(self, cast: Cast, admin: Client) -> None:
        def invite(client: Client, number: int) -> int:
            form = {"email": f"d{number}@example.org", "role": "viewer"}
            return client.post("/settings/invitations", form).status_code

        Membership.objects.filter(user__in=[cast.alice, cast.bob]).update(role=Role.ADMIN)
        others = [sign_in(Client(), each) for each in (cast.alice, cast.bob)]
        assert [invite(admin, number) for number in range(31)] == [302] * 30 + [429]
        assert [invite(others[0], 100 + number) for number in range(25)] == [302] * 25
        assert [invite(others[1], 200 + number) for number in range(6)] == [302] * 5 + [429]

    def test_a_changed_link_is_none(self, link: str) -> None:
        for changed in (link[:-1] + ("a" if link[-1] != "a" else "b"), "/invitations/x"):
            assert Client().get(changed).status_code == 404

    def test_no_account_is_made_where_registration_is_off(
        self, link: str, settings: Settings
    ) -> None:
        settings.REGISTRATION = "off"
        assert Client().post(link, self.FORM).status_code == 409
        assert not User.objects.filter(username="dora").exists()

    @pytest.mark.parametrize(
        ("field", "value"),
        [("username", "alice"), ("username", "a b"), ("new_password", "short"), ("repeated", "x")],
    )
    def test_what_is_wrong_is_named(self, cast: Cast, link: str, field: str, value: str) -> None:
        form = self.FORM | {field: value}
        if field == "new_password":
            form["repeated"] = value
        response = Client().post(link, form)
        assert response.status_code == 422
        assert list(response.context["form"].errors) == [field]

    def test_members_are_not_invited(self, cast: Cast, admin: Client) -> None:
        response = admin.post(
            "/settings/invitations", {"email": "ADA@example.org", "role": "viewer"}
        )
        assert response.status_code == 422
        assert not Invitation.objects.exists()

    @pytest.mark.parametrize(
        "form", [{"email": "x", "role": "viewer"}, {"email": NEW, "role": "webhook_only"}]
    )
    def test_nonsense_is_refused(self, admin: Client, form: dict[str, str]) -> None:
        assert admin.post("/settings/invitations", form).status_code == 422
        assert not Invitation.objects.exists()

    def test_another_tenant_s_are_absent(self, cast: Cast, link: str) -> None:
        charlie = sign_in(Client(), cast.charlie)
        path = f"/settings/invitations/{Invitation.objects.get().pk}/revoke"
        assert charlie.post(path).status_code == 404
        assert NEW not in charlie.get("/settings").content.decode()

    def test_the_operators_do_it_by_a_command(self, cast: Cast) -> None:
        told = StringIO()
        call_command("invite", "--tenant", "studio", "--email", NEW, stdout=told)
        path = "/" + told.getvalue().strip().split("/", 3)[3]
        assert "The operators" in Client().get(path).content.decode()

    @pytest.mark.parametrize(("tenant", "email"), [("nothing", NEW), ("studio", "x")])
    def test_its_mistakes_are_named(self, cast: Cast, tenant: str, email: str) -> None:
        with pytest.raises(CommandError, match="--tenant" if tenant == "nothing" else "--email"):
            call_command("invite", "--tenant", tenant, "--email", email)


class TestRoles:
    def test_it_works(self, cast: Cast, admin: Client, log: Callable[[], Log]) -> None:
        bob, since = membership(cast.bob), log()
        path = f"/settings/members/{bob.pk}/role"
        assert admin.post(path, {"role": "operator"}).status_code == 302
        assert membership(cast.bob).role == "operator"
        assert since.told() == [("member.role_changed", "success", cast.tenant.pk)]

    def test_a_member_is_removed_at_once(
        self, cast: Cast, admin: Client, bob: Client, log: Callable[[], Log]
    ) -> None:
        since = log()
        admin.post(f"/settings/members/{membership(cast.bob).pk}/remove")
        assert since.events == ["member.removed"]
        assert bob.get("/jobs").status_code == 403

    @pytest.mark.parametrize(
        ("path", "left"), [("role", ["by ada", "developer"]), ("remove", ["by ada"])]
    )
    def test_their_invitations_end_with_it(
        self, cast: Cast, admin: Client, log: Callable[[], Log], path: str, left: list[str]
    ) -> None:
        bob = membership(cast.bob)
        for email, role, by in [
            ("admin", Role.ADMIN, cast.bob),
            ("developer", Role.DEVELOPER, cast.bob),
            ("by ada", Role.ADMIN, User.objects.get(username="ada")),
        ]:
            invitations.invite(cast.tenant, email, role, by=by, own_role=Role.ADMIN)
        since = log()
        admin.post(f"/settings/members/{bob.pk}/{path}", {"role": "operator"})
        pending = Invitation.objects.pending().values_list("email", flat=True)
        assert sorted(pending) == left
        assert since.events.count("invitation.revoked") == 3 - len(left)

    @pytest.mark.parametrize("path", ["role", "remove"])
    def test_the_last_admin_stays(self, cast: Cast, admin: Client, path: str) -> None:
        ada = Membership.objects.get(user__username="ada")
        refused = admin.post(f"/settings/members/{ada.pk}/{path}", {"role": "viewer"})
        assert refused.status_code == 409
        assert "last admin has to stay" in refused.content.decode()
        ada.refresh_from_db()
        assert ada.role == "admin"

    def test_one_who_can_t_sign_in_is_no_admin(self, cast: Cast, admin: Client) -> None:
        gone = UserFactory.create(is_active=False)
        MembershipFactory.create(user=gone, tenant=cast.tenant, role=Role.ADMIN)
        ada = Membership.objects.get(user__username="ada")
        assert admin.post(f"/settings/members/{ada.pk}/remove").status_code == 409

    @pytest.mark.parametrize("path", ["role", "remove"])
    def test_another_tenant_s_are_absent(self, cast: Cast, admin: Client, path: str) -> None:
        for pk in (membership(cast.charlie).pk, 0, 999_999_999):
            refused = admin.post(f"/settings/members/{pk}/{path}", {"role": "viewer"})
            assert refused.status_code == 404
        assert membership(cast.charlie).role == "admin"

    @pytest.mark.parametrize("path", ["", "/invitations", "/security"])
    def test_it_is_for_admins(self, alice: Client, bob: Client, path: str) -> None:
        for client in (alice, bob):
            assert client.get(f"/settings{path}").status_code == 403
            assert client.post(f"/settings{path}").status_code == 403

    @pytest.mark.parametrize("path", ["", "/invitations", "/security"])
    def test_a_method_that_is_not_for_it_shows_it_to_nobody(
        self, admin: Client, bob: Client, path: str
    ) -> None:
        for client in (admin, bob):
            answer = client.put(f"/settings{path}")
            assert answer.status_code == 405
            assert "ada@example.org" not in answer.content.decode()

    def test_nobody_gives_more_than_they_have(self, cast: Cast) -> None:
        pk = membership(cast.bob).pk
        with pytest.raises(Forbidden):
            members.change_role(cast.tenant, pk, Role.ADMIN, own_role=Role.OPERATOR)
        assert membership(cast.bob).role == "viewer"

    @pytest.mark.django_db(transaction=True)
    def test_two_admins_can_t_leave_at_once(self) -> None:
        tenant: Tenant = TenantFactory.create()
        both = [MembershipFactory.create(tenant=tenant, role=Role.ADMIN).pk for _ in range(2)]

        def leave(pk: int) -> bool:
            try:
                members.remove(tenant, pk)
            except Conflict:
                return False
            else:
                return True
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(leave, both)) == [False, True]

    def test_it_asks_for_codes_of_everybody(
        self, cast: Cast, admin: Client, alice: Client, log: Callable[[], Log]
    ) -> None:
        since = log()
        assert admin.post("/settings/security", {"requires_totp": "on"}).status_code == 302
        assert since.events == ["tenant.security_changed"]
        assert alice.get("/jobs").status_code == 302
        assert admin.get("/settings").status_code == 302
