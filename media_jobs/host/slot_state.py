"""What the processes of one slot share: made before they fork, inherited by all of them."""

from __future__ import annotations

import multiprocessing

_FORK = multiprocessing.get_context("fork")

# Held from the moment a token is taken until its work is done: a busy slot takes no token that
# an idle one could use.
free = _FORK.Semaphore(1)

# Set once the slot was told to stop.
draining = _FORK.Event()

# Set while the sandbox does not hold: no job is taken.
unfit = _FORK.Event()

# When the token was taken whose work is under way, by the machine's monotonic clock; 0 where none
# is. Without a lock, which a process that is stopped could hold for ever.
taken_at = _FORK.RawValue("d", 0.0)

# When the sentinel and the pusher last began a round of their loops, by the same clock.
sentinel_at = _FORK.RawValue("d", 0.0)
pusher_at = _FORK.RawValue("d", 0.0)
