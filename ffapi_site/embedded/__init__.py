"""PostgreSQL out of a wheel: used where ``DATABASE_URL`` is unset, to need no set-up."""
