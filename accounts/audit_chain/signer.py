from __future__ import annotations

from dataclasses import dataclass

from accounts.audit_chain.checkpoint_file import CheckpointFile
from accounts.audit_chain.signing_key import SigningKey
from ffapi_site.database.sealing import SealerConnection


@dataclass(frozen=True)
class Signer:
    """What it takes to sign for a chain: the database, the key, and the file beside it."""

    connection: SealerConnection
    key: SigningKey
    file: CheckpointFile
