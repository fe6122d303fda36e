"""The key that signs: a file which only the sealer and the operator's commands read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from psycopg.types.json import Jsonb

from accounts import audit
from accounts.audit_chain.locks import held_for_signing, now
from accounts.audit_chain.verifier.canonical import canonical
from accounts.audit_chain.verifier.form import VERSION
from accounts.audit_chain.verifier.signed import key_id_of
from accounts.audit_events import AuditEvent
from ffapi_site.database.sealing import SealerConnection

Envelope = dict[str, Any]  # a statement and its signature


class KeyTrouble(Exception):  # noqa: N818 -- a state of the installation
    """There is no key here that may sign"""


@dataclass(frozen=True)
class SigningKey:
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        return key_id_of(self.public)

    def sign(self, statement: dict[str, Any]) -> Envelope:
        signature = self.private.sign(canonical(statement))
        return {"statement": statement, "signature": signature.hex()}

    @classmethod
    def read(cls, path: Path) -> Self:
        try:
            private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (OSError, ValueError) as error:
            raise KeyTrouble(f"no signing key can be read from {path.name}: {error}") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise KeyTrouble(f"{path.name} holds no Ed25519 key")
        return cls(private)

    @classmethod
    def make(cls, path: Path) -> Self:
        """Make a key in a file of its own, readable by its owner only."""
        private = Ed25519PrivateKey.generate()
        encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        pem = private.private_bytes(encoding, form, serialization.NoEncryption())
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        return cls(private)


def key_file() -> Path:
    return Path(settings.AUDIT_SIGNING_KEY_FILE)


def _coming_file() -> Path:
    return key_file().with_suffix(".next")


def registered(connection: SealerConnection) -> list[Envelope]:
    """The public keys that ever signed, oldest first."""
    rows = connection.execute("SELECT envelope FROM accounts_auditkey ORDER BY at").fetchall()
    return [row["envelope"] for row in rows]


def current_id(connection: SealerConnection) -> str | None:
    rows = registered(connection)
    return str(rows[-1]["statement"]["key_id"]) if rows else None


def opened(connection: SealerConnection) -> SigningKey:
    """Read the key, made at the very first start; raises ``KeyTrouble`` where it may not sign."""
    wanted = current_id(connection)
    if wanted is None:
        key = SigningKey.read(key_file()) if key_file().exists() else SigningKey.make(key_file())
        _introduce(connection, key, previous=None)
        return key
    coming = _coming_file()
    if coming.exists() and SigningKey.read(coming).key_id == wanted:
        coming.replace(key_file())  # a rotation that ended between the database and the file
    key = SigningKey.read(key_file())
    if key.key_id != wanted:
        raise KeyTrouble(f"the signing key here is {key.key_id}, the one in use is {wanted}")
    return key


def require_current(connection: SealerConnection, key: SigningKey) -> None:
    if current_id(connection) != key.key_id:
        raise KeyTrouble(f"the signing key {key.key_id} is no longer the one in use")


def _introduce(
    connection: SealerConnection, key: SigningKey, previous: SigningKey | None
) -> Envelope:
    with held_for_signing(connection):
        at = now(connection)
        statement = {
            "v": VERSION,
            "kind": "key",
            "key_id": key.key_id,
            "public_key": key.public.hex(),
            "previous": previous.key_id if previous else None,
            "at": at,
        }
        envelope = (previous or key).sign(statement)
        connection.execute(
            "INSERT INTO accounts_auditkey (key_id, at, envelope) VALUES (%s, %s, %s)",
            [key.key_id, at, Jsonb(envelope)],
        )
        told = {"key": key.key_id, "previous": statement["previous"]}
        connection.execute(*audit.statement(AuditEvent.AUDIT_KEY_ROTATED, None, details=told))
    return envelope


def rotate(connection: SealerConnection, *, is_lost: bool = False) -> SigningKey:
    """Put a new key in the old one's place, which vouches for it unless it is lost.

    The old private key is gone afterwards: what it signed is checked with its public half.
    """
    previous = None if is_lost else opened(connection)
    coming = _coming_file()
    coming.unlink(missing_ok=True)
    key = SigningKey.make(coming)
    _introduce(connection, key, previous)
    coming.replace(key_file())
    return key
