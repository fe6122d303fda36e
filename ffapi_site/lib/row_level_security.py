"""Row-level security as migrations declare it: each row is seen within its tenant's scope only.

``ffapi_site.lib.scope`` says what the scope is. A setting that is unset or empty shows nothing.
The sub-selects are computed once a query, not once a row, and leave the indexes usable.
"""

from __future__ import annotations

from django.db.migrations import RunSQL

_SCOPE = "(SELECT current_setting('ffapi.tenant', true))"


def by_tenant(table: str, column: str = "tenant_id") -> RunSQL:
    """Show the rows of ``table`` whose ``column`` holds the scope's tenant."""
    return _policy(table, f"{_SCOPE} = '*' OR {column} = {_SCOPE}")


def by_parent(table: str, column: str, parent: str) -> RunSQL:
    """Show the rows of ``table`` whose parent, by the id in ``column``, is shown."""
    seen = f"SELECT FROM {parent} AS parent WHERE parent.id = {table}.{column}"
    return _policy(table, f"{_SCOPE} = '*' OR EXISTS ({seen})")


def _policy(table: str, condition: str) -> RunSQL:
    return RunSQL(
        # FORCE: an owner that works with the table is bound by it too.
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY isolation ON {table} USING ({condition})",
        f"DROP POLICY isolation ON {table};"
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY",
    )
