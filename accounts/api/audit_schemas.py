"""The audit log as the API tells it, for the description; `serializers` makes the records."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class ActorBody(BaseModel):
    type: str
    id: str
    name: str


class ChainBody(BaseModel):
    seq: int
    hash: str


class AuditRecordBody(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    timestamp: str
    event_type: str
    actor: ActorBody
    resource_type: str
    resource_id: str
    action: str
    outcome: str
    details: dict[str, object]
    ip_address: str
    user_agent: str
    request_id: str
    chain: ChainBody | None
    """Its place in the tenant's chain; null for the second or so until it is sealed."""


class PublicKeyBody(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    key_id: str
    algorithm: str
    public_key: str
    fingerprint: str
    """SHA-256 of the public key: what ``verify.py --fingerprint`` takes."""
    since: str
    introduced_by: str | None
    """The key that vouches for it; null for the first, and where a lost one was replaced."""


class PublicKeysBody(BaseModel):
    results: list[PublicKeyBody]


class CheckpointBody(BaseModel):
    statement: dict[str, object]
    signature: str
