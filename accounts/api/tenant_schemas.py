from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class TenantBody(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)

    id: str
    name: str
    webhook_secret: str = ""
    """What webhooks are signed with; told to keys with the scope ``webhooks:manage`` only."""
