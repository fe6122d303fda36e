"""Django's PostgreSQL back end, with a scope for row-level security and an owner of the tables."""
