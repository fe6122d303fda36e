"""What is done again and again, so that crashes and lost messages cost seconds, not jobs."""
