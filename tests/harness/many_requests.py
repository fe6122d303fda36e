"""What makes thousands of requests cheap, and changes no answer."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends.db import SessionStore
from django.test.client import ClientHandler
from django.test.signals import setting_changed

from accounts.people import second_factor, second_factor_middleware

# All that `load_middleware` leaves in a handler.
_CHAIN = (
    *("_view_middleware", "_template_response_middleware", "_exception_middleware"),
    "_middleware_chain",
)


@pytest.fixture(autouse=True, scope="session")
def _middleware_of_all_clients() -> Iterator[None]:
    """Put the middleware together once for each state of the settings, not for each client."""
    built: dict[str, Any] = {}
    load = ClientHandler.load_middleware

    def reuse(handler: ClientHandler, is_async: bool = False) -> None:  # noqa: FBT001, FBT002 -- Django's
        if not built:
            load(handler, is_async)
            built.update({name: vars(handler)[name] for name in _CHAIN})
        vars(handler).update(built)

    def forget(**_: Any) -> None:
        built.clear()

    setting_changed.connect(forget)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClientHandler, "load_middleware", reuse)
        yield
    setting_changed.disconnect(forget)


@contextmanager
def known_people() -> Iterator[None]:
    """Find out once whose a session is: for requests that are undone one by one.

    Who signs in does so before. What a view reads of people, it reads as always.
    """
    find = SessionStore._get_session_from_db  # type: ignore[attr-defined]
    sessions = _once(find, lambda store: store.session_key)
    users = _once(ModelBackend.get_user, lambda _, user_id: user_id)
    needed = _once(second_factor.is_needed, lambda user: user.pk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SessionStore, "_get_session_from_db", sessions)
        patch.setattr(ModelBackend, "get_user", users)
        patch.setattr(second_factor_middleware, "second_factor", SimpleNamespace(is_needed=needed))
        yield


def _once(find: Callable[..., Any], key: Callable[..., Hashable]) -> Callable[..., Any]:
    found: dict[Hashable, Any] = {}

    def again(*given: Any) -> Any:
        name = key(*given)
        if found.get(name) is None:
            found[name] = find(*given)
        return copy.copy(found[name])  # a view may change it

    return again


@pytest.fixture
def only_errors_are_logged() -> Iterator[None]:
    """Every refusal is a warning, put into words for nobody."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
