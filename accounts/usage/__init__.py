"""What work did cost: a ledger that is written when it ends, and what is told from it."""
