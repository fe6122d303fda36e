"""The role that works with the tables: it is neither their owner nor above row-level security."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model
from psycopg import sql

SEALER = "ffapi_sealer"


def prepare(connection: BaseDatabaseWrapper, user: str, password: str) -> None:
    """Make the role ``user`` where it is missing. Needs an owner that may do so."""
    role = {"role": sql.Identifier(user)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [user])
        if cursor.rowcount:
            return
        # Another process may be making it too: roles belong to the whole server.
        cursor.execute("SELECT pg_advisory_lock(hashtext('ffapi roles'))")
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [user])
        if not cursor.rowcount:
            cursor.execute(
                sql.SQL("CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS").format(**role)
            )
            if password:
                told = sql.SQL("ALTER ROLE {role} PASSWORD {password}")
                cursor.execute(told.format(**role, password=sql.Literal(password)))
        cursor.execute("SELECT pg_advisory_unlock(hashtext('ffapi roles'))")


def prepare_sealer(connection: BaseDatabaseWrapper) -> None:
    """Make the role that seals the audit log, which the owner takes on and nobody signs in as."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [SEALER])
        if not cursor.rowcount:
            cursor.execute("SELECT pg_advisory_lock(hashtext('ffapi roles'))")
            cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [SEALER])
            if not cursor.rowcount:
                cursor.execute(f"CREATE ROLE {SEALER} NOLOGIN NOSUPERUSER NOBYPASSRLS")
            cursor.execute("SELECT pg_advisory_unlock(hashtext('ffapi roles'))")
        # From version 16 whoever makes a role is its member at once, but may not take it on.
        right = "SET" if cursor.connection.info.server_version >= 16_00_00 else "MEMBER"
        cursor.execute("SELECT pg_has_role(current_user, %s, %s)", [SEALER, right])
        if not cursor.fetchone()[0]:
            cursor.execute(f"GRANT {SEALER} TO current_user")


def grant(connection: BaseDatabaseWrapper, user: str) -> None:
    """Let ``user`` work with every table but those kept from it.

    To a model that is ``append_only`` it may only add, and without the columns that are
    ``not_added``; what ``is_sealers`` it may only read.
    """
    role = {"role": sql.Identifier(user)}
    statements = [
        # Before version 15 everybody may make functions and tables there.
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ]
    # In one transaction: what is kept from it is never given, not for a moment.
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(**role))
        for model in _made(connection):
            columns = _added(model)
            kept = "UPDATE, DELETE" if getattr(model, "append_only", False) else ""
            if columns or getattr(model, "is_sealers", False):
                kept = "INSERT, UPDATE, DELETE"
            if kept:
                _on(cursor, f"REVOKE {kept} ON {{table}} FROM {{role}}", model, user)
            if columns:
                _on(cursor, f"GRANT INSERT ({columns}) ON {{table}} TO {{role}}", model, user)


def _made(connection: BaseDatabaseWrapper) -> list[type[Model]]:
    """The models that have a table: a migration back takes some away."""
    tables = set(connection.introspection.table_names())
    return [model for model in apps.get_models() if model._meta.db_table in tables]  # noqa: SLF001 -- public, by its documentation


def _added(model: type[Model]) -> str:
    """The columns that it gives values to, where there are others that it must not."""
    kept: Sequence[str] = getattr(model, "not_added", ())
    fields = model._meta.concrete_fields if kept else ()  # noqa: SLF001 -- public, by its documentation
    return ", ".join(str(field.column) for field in fields if field.column not in kept)


def grant_sealer(connection: BaseDatabaseWrapper) -> None:
    """Give the sealer what models name as its ``sealer_rights``, and nothing else."""
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT USAGE ON SCHEMA public TO {SEALER}")
        cursor.execute(f"GRANT SELECT (id, name) ON accounts_tenant TO {SEALER}")
        for model in _made(connection):
            for right in getattr(model, "sealer_rights", ()):
                _on(cursor, f"GRANT {right} ON {{table}} TO {{role}}", model, SEALER)


def _on(cursor: Any, statement: str, model: type[Model], user: str) -> None:
    table = sql.Identifier(model._meta.db_table)  # noqa: SLF001 -- public, by its documentation
    cursor.execute(sql.SQL(statement).format(table=table, role=sql.Identifier(user)))
