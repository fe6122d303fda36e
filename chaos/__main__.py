"""``make chaos``: harm a site while clients use it, then prove that nothing was lost."""

from __future__ import annotations

import argparse
import random
import sys

from chaos.run import LONG, SHORT, run


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    arguments.add_argument("--seed", type=int, help="repeats the order of the faults [random]")
    arguments.add_argument("--minutes", type=float, default=5, help="how long faults go on [5]")
    arguments.add_argument("--short", action="store_true", help="the quick faults, 20 seconds")
    given = arguments.parse_args()
    seed = random.SystemRandom().randrange(1_000_000) if given.seed is None else given.seed
    plan = SHORT if given.short else LONG.lasting(given.minutes * 60)
    sys.exit(0 if run(seed, plan) else 1)


if __name__ == "__main__":
    main()
