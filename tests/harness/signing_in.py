"""Sessions of people who have proved all that they need to."""

from __future__ import annotations

import time

from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.oath import totp

from accounts.models import Authenticator, User
from accounts.people import second_factor


def enrolled(user: User) -> Authenticator:
    """Give the person an authenticator, unless they have one."""
    made: Authenticator
    made, _ = Authenticator.objects.get_or_create(
        user=user, defaults={"secret": second_factor.new_secret(), "name": "test"}
    )
    return made


def code_of(authenticator: Authenticator, *, steps: int = 0) -> str:
    """The code that the person's app shows now, or some time steps from now.

    Where it matters which step it is, and the next could begin before the code is looked at, it
    waits for that. The code of now is good for a step longer.
    """
    if steps and time.time() % 30 > 27:
        time.sleep(30 - time.time() % 30)
    key = second_factor.key_of(authenticator.secret)
    return f"{totp(key, t0=-30 * steps):06d}"


def sign_in(client: Client, user: User) -> Client:
    """Sign ``user`` in, with a code where they need one."""
    client.force_login(user)
    if second_factor.is_needed(user):
        session = client.session
        session[DEVICE_ID_SESSION_KEY] = enrolled(user).persistent_id
        session.save()
    return client
