"""Connections of the audit log's sealer: by the owner's credentials, as a role of its own."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from ffapi_site.database.owner import wrapper
from ffapi_site.database.roles import SEALER

SealerConnection = psycopg.Connection[DictRow]
_TAKEN_OVER = (
    *("dbname", "user", "password", "host", "port"),
    *("sslmode", "sslrootcert", "sslcert", "sslkey"),
)
_OPTIONS = "-c ffapi.tenant=* -c statement_timeout=300000 -c lock_timeout=10000"


def is_reduced() -> bool:
    """Is there no owner's password? Then sealing is done as the role that works with the tables."""
    return not wrapper().settings_dict.get("OWNER")


def connect() -> SealerConnection:
    """Open a connection that commits each statement, or each ``transaction()``."""
    database = wrapper()
    told: dict[str, Any] = database.get_connection_params()
    settings = {name: told[name] for name in _TAKEN_OVER if told.get(name)}
    if not is_reduced():
        owner = database.settings_dict["OWNER"]
        settings |= {"user": owner["USER"]}
        settings |= {"password": owner["PASSWORD"]} if owner["PASSWORD"] else {}
    connection = psycopg.connect(
        **settings,
        options=_OPTIONS,
        application_name="ffapi audit sealer",
        connect_timeout=5,
        autocommit=True,
        row_factory=dict_row,
    )
    if not is_reduced():
        connection.execute(f"SET ROLE {SEALER}")
    return connection
