"""Records as syslog messages (RFC 5424) over UDP, TCP or a local socket."""

from __future__ import annotations

import json
import socket
from typing import Any, Self
from urllib.parse import urlsplit

_AUDIT_FACILITY = 13
_NOTICE, _WARNING = 5, 4
_TIMEOUT_S = 5
_DATAGRAM_BYTES = 60_000  # below what UDP can carry (RFC 5426, 3.2)


def message(told: dict[str, Any], host: str) -> bytes:
    """Write one record; ASCII only, so the message needs no byte order mark."""
    severity = _NOTICE if told["outcome"] == "success" else _WARNING
    priority = _AUDIT_FACILITY * 8 + severity
    name = host.encode("ascii", "replace").decode().replace(" ", "-")[:255] or "-"
    head = f"<{priority}>1 {told['at']} {name} ffapi - {told['event_type'][:32]} -"
    return f"{head} {json.dumps(told)}".encode()


class Syslog:
    """A connection to ``udp://host:port``, ``tcp://host:port`` or ``unix:///path``."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        host = parts.hostname or ""
        self._is_stream = parts.scheme == "tcp"
        if self._is_stream:
            self._socket = socket.create_connection((host, parts.port or 601), _TIMEOUT_S)
            return
        family: int = socket.AF_UNIX
        place: Any = parts.path
        if parts.scheme != "unix":
            found = socket.getaddrinfo(host, parts.port or 514, type=socket.SOCK_DGRAM)
            family, _, _, _, place = found[0]
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.settimeout(_TIMEOUT_S)
        self._socket.connect(place)

    def send(self, records: list[dict[str, Any]]) -> None:
        """Send all, or raise ``OSError``."""
        host = socket.gethostname()
        for told in records:
            sent = message(told, host)
            if self._is_stream:
                # Framed by counting octets (RFC 6587, 3.4.1).
                self._socket.sendall(b"%d %s" % (len(sent), sent))
                continue
            if len(sent) > _DATAGRAM_BYTES:
                # Without the details, whose digest is there; the log itself has them.
                sent = message({name: told[name] for name in told if name != "details"}, host)
            self._socket.send(sent)
        if self._is_stream:
            self._require_open()

    def _require_open(self) -> None:
        """Notice a receiver that hung up, which ``sendall`` alone does not."""
        self._socket.settimeout(0)
        try:
            if not self._socket.recv(1):
                raise ConnectionResetError("the receiver closed the connection")
        except BlockingIOError:
            pass
        finally:
            self._socket.settimeout(_TIMEOUT_S)

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
