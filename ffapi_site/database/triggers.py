"""Triggers that hold for everybody, whatever a session sets.

django-pgtrigger has each of its triggers ask whether the session's ``pgtrigger.ignore`` names it,
and any role may set that. Here the answer is always no. And what a trigger names without a schema
is looked for in ours: not first among the temporary tables that the session may have made.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

# In the place of the function that each migration with a trigger puts there.
_NEVER_IGNORED = """
CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean
LANGUAGE sql IMMUTABLE AS 'SELECT false'
"""
_OURS = """
SELECT DISTINCT tgfoid::regprocedure::text FROM pg_trigger
JOIN pg_proc ON pg_proc.oid = tgfoid
WHERE NOT tgisinternal AND pronamespace = 'public'::regnamespace
"""


def make_firm(connection: BaseDatabaseWrapper) -> None:
    """Do so for all triggers that there are; by the owner, after each migration."""
    with connection.cursor() as cursor:
        cursor.execute(_NEVER_IGNORED)
        cursor.execute(_OURS)
        for (function,) in cursor.fetchall():
            cursor.execute(
                f"ALTER FUNCTION {function} SET search_path = pg_catalog, public, pg_temp"
            )
