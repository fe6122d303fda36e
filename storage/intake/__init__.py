"""The one way in for bytes: uploads of the API and the pages, imports, and what jobs make.

Each gets a place and room, is looked at, and becomes a row with stored bytes that nobody sees until
it is published. Who stands outside imports this door.
"""

from __future__ import annotations

from storage.intake.arrivals import Arrival, Sender, fetched, place_for_upload, take_output
from storage.intake.checks import check
from storage.intake.landing import Landing
from storage.intake.multipart import Part, receive
from storage.intake.sniff import FileRefused, Kind
from storage.intake.virus_scan import ScannerUnavailable

__all__ = [
    "Arrival",
    "FileRefused",
    "Kind",
    "Landing",
    "Part",
    "ScannerUnavailable",
    "Sender",
    "check",
    "fetched",
    "place_for_upload",
    "receive",
    "take_output",
]
