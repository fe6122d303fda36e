"""The role that works with the tables: it is neither their owner nor above row-level security."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql


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
                _set_password(cursor, role, password)
        cursor.execute("SELECT pg_advisory_unlock(hashtext('ffapi roles'))")


def _set_password(cursor: Any, role: dict[str, Any], password: str) -> None:
    statement = sql.SQL("ALTER ROLE {role} PASSWORD {password}")
    cursor.execute(statement.format(**role, password=sql.Literal(password)))


def grant(connection: BaseDatabaseWrapper, user: str) -> None:
    """Let ``user`` work with every table, and only add to those that are ``append_only``."""
    kept = [
        model._meta.db_table  # noqa: SLF001 -- public, by its documentation
        for model in apps.get_models()
        if getattr(model, "append_only", False)
    ]
    role = {"role": sql.Identifier(user)}
    statements = [
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
    ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(sql.SQL(statement).format(**role))
        for table in kept:
            statement = "REVOKE UPDATE, DELETE ON {table} FROM {role}"
            cursor.execute(sql.SQL(statement).format(table=sql.Identifier(table), **role))
