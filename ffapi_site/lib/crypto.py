from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute


def digest(secret: str) -> str:
    """HMAC-SHA-256 of a high-entropy secret under the installation's pepper, in hex.

    Secrets are 256 random bits, so a slow password hash would only cost time.
    """
    return hmac.new(settings.API_KEY_PEPPER.encode(), secret.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    derived = (hashlib.sha256(key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in derived])


def encrypt(text: str) -> str:
    """Encrypt with the first of ``ENCRYPTION_KEYS``; all of them decrypt."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


class Undecipherable(Exception):  # noqa: N818 -- a state of the data
    """None of ``ENCRYPTION_KEYS`` opens it"""


def decrypt(token: str) -> str:
    """Open what `encrypt` made; raises ``Undecipherable``."""
    try:
        return _cipher(tuple(settings.ENCRYPTION_KEYS)).decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise Undecipherable from error


def is_fresh(token: str) -> bool:
    """Tell whether ``token`` was made with the first of ``ENCRYPTION_KEYS``."""
    try:
        _cipher(tuple(settings.ENCRYPTION_KEYS[:1])).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def refreshed(token: str) -> str:
    """Encrypt the content of ``token`` with the first key; raises ``Undecipherable``."""
    try:
        return _cipher(tuple(settings.ENCRYPTION_KEYS)).rotate(token.encode()).decode()
    except InvalidToken as error:
        raise Undecipherable from error


class _Sealed(str):
    """As it was read, and not yet opened"""

    __slots__ = ()


class _Opening(DeferredAttribute):
    """Opens what was read once somebody looks at it; raises ``Undecipherable``.

    What no key opens is then its own trouble: not that of every list in which its row stands.
    """

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, _Sealed):
            value = decrypt(value)
            self.__set__(instance, value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        vars(instance)[self.field.attname] = value


class EncryptedTextField(models.TextField[str, str]):
    """Text that the database only ever sees encrypted; ``values`` gives it so."""

    descriptor_class = _Opening

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, _Sealed):
            return str(value)
        return value if value in (None, "") else encrypt(value)

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        return value if value in (None, "") else _Sealed(value)
