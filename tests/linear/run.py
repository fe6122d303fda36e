"""In a process of its own, which whoever waits for it can end: pump everything, and tell of it.

Prints a line of JSON for each thing before it is pumped, and one for what grows too fast.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from tests.linear import patterns, pumps, readers
from tests.linear.growth import hoarding, superlinear


def say(**facts: Any) -> None:
    sys.stdout.write(f"{json.dumps(facts)}\n")
    sys.stdout.flush()


def pump_pattern(found: patterns.Found, largest: int = 8_192) -> None:
    for method, work in patterns.works(found):
        say(tries=f"{found.place} {method}")
        shapes = [
            (repr(pump)[:150], lambda size, pump=pump, work=work: work(pump.text(size)))
            for pump in pumps.of(found.pattern)
        ]
        if (grown := superlinear(shapes, largest)) is not None:
            say(grows=f"{found.place} {method}", how=grown)


def all_patterns() -> None:
    with patterns.Recorder() as recorder:
        _set_up()
        patterns.import_all()
    everything = [*recorder.found, *patterns.written_into_calls()]
    say(patterns=len(everything))
    for found in everything:
        pump_pattern(found)


def pump_reader(reader: readers.Reader) -> None:
    say(reads=reader.name)
    shapes = [
        (repr(pump)[:150], lambda size, pump=pump: _call(reader, pump.text(size)))
        for pump in (
            pumps.Pump(before, unit, after)
            for before, after in reader.frames
            for unit in reader.units
        )
    ]
    grown = superlinear(shapes, reader.largest) or hoarding(shapes[0][1], 4 * reader.largest)
    if grown is not None:
        say(grows=reader.name, how=grown)


def _call(reader: readers.Reader, text: str) -> Callable[[], object]:
    return lambda: reader.call(text)


def all_readers() -> None:
    _set_up()
    from tests.linear import registered

    found = readers.takers()
    named = {reader.name for reader in registered.READERS}
    everything = [*registered.READERS, *registered.bodies_of_the_api()]
    for name, function in found.items():
        by_signature = readers.by_signature(name, function)
        everything += by_signature
        if not by_signature and name not in named and not registered.is_excluded(name):
            say(unknown=name)
    for reader in everything:
        pump_reader(reader)


def all_old() -> None:
    from tests.linear import old

    for found in old.PATTERNS:
        pump_pattern(found)
    for reader in old.READERS:
        pump_reader(reader)


def _set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ffapi_site.settings")
    import django

    django.setup()


if __name__ == "__main__":
    gc.disable()
    {"patterns": all_patterns, "readers": all_readers, "old": all_old}[sys.argv[1]]()
