"""One attempt at a job, from its inputs to its published outputs."""
