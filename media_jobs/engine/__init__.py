"""Jobs as rows: every change of status, every verb, the queue and what wakes the slots."""
