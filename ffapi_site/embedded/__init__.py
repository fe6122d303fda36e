"""PostgreSQL out of a wheel: used where ``DATABASE_URL`` is unset, so that nothing needs setting up."""
