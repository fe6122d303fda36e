"""Keeps every Python process that has this folder in PYTHONPATH on its machine.

An audit hook, because nothing that Python code does can go round it or take it away. Each try is
refused, and written down in the file that the environment names.

``NAMES_ANSWERED`` is the DNS of this machine, as JSON: to each name the answers that it gives in
turn, each of them a list of addresses.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from ipaddress import ip_address
from itertools import cycle
from pathlib import Path
from typing import Any

_RECORD = Path(os.environ["CONNECTIONS_REFUSED"])
_NAMES = {"localhost", socket.gethostname()}
_TO_ADDRESS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOK_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    host = None
    if event in _TO_ADDRESS:
        opened, address = arguments
        if opened.family in {socket.AF_INET, socket.AF_INET6} and address is not None:
            host = address[0]
    elif event in _LOOK_UP:
        host = arguments[0]
    if host and not _stays_here(_text(host), is_name_looked_up=event in _LOOK_UP):
        _refuse(event, _text(host))


def _text(host: str | bytes) -> str:
    return host.decode() if isinstance(host, bytes) else str(host)


def _stays_here(host: str, *, is_name_looked_up: bool) -> bool:
    if host in _NAMES:
        return True
    try:
        # An address that is "looked up" is only read; connecting to it comes after.
        return is_name_looked_up | ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse(event: str, host: str) -> None:
    with _RECORD.open("a") as record:
        record.write(f"{os.getpid()} {event} {host}\n")
    raise OSError(errno.ENETUNREACH, "this process stays on its machine")


def _answer_names(told: dict[str, list[list[str]]]) -> None:
    look_up = socket.getaddrinfo
    turns = {name: cycle(answers) for name, answers in told.items()}

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> list[Any]:
        addresses = next(turns[host]) if host in turns else [host]
        return [each for address in addresses for each in look_up(address, *rest, **more)]

    socket.getaddrinfo = getaddrinfo


sys.addaudithook(_guard)
if "NAMES_ANSWERED" in os.environ:
    _answer_names(json.loads(os.environ["NAMES_ANSWERED"]))
