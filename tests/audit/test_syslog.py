"""Forwarding to real sockets: RFC 5424 messages, at least once."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from pathlib import Path

import pytest
from django.test import Client

from accounts.audit_chain import forwarding
from accounts.audit_chain.sealer import Sealing
from accounts.models import AuditForwarding, Tenant
from ffapi_site.database.sealing import SealerConnection
from tests.audit.world import write

_FORM = re.compile(rb"<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (\S+) ffapi - (\S+) - (.*)")


def read(message: bytes) -> tuple[int, str, int]:
    """Give priority, event and number of a message."""
    found = _FORM.fullmatch(message)
    assert found, message
    priority, _, _, event, told = found.groups()
    return int(priority), event.decode(), json.loads(told)["seq"]


@pytest.fixture
def begun(tenant: Tenant, sealer: Sealing) -> None:
    sealer.step()


def test_it_works(
    begun: None, tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        target = f"udp://127.0.0.1:{receiver.getsockname()[1]}"
        forwarding.forward(connection, target)
        write(tenant, 2)
        sealer.step()
        assert forwarding.forward(connection, target) == 2
        # 13 is the facility for audits, 5 the severity of a notice.
        told = [read(receiver.recv(65_536)) for _ in range(2)]
    assert told == [(13 * 8 + 5, "job.created", 1), (13 * 8 + 5, "job.created", 2)]


def test_a_local_socket(
    begun: None, tenant: Tenant, sealer: Sealing, connection: SealerConnection, tmp_path: Path
) -> None:
    path = str(tmp_path / "log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.settimeout(5)
        forwarding.forward(connection, f"unix://{path}")
        write(tenant)
        sealer.step()
        forwarding.forward(connection, f"unix://{path}")
        assert read(receiver.recv(65_536))[2] == 1


def test_tcp_counts_octets(
    begun: None, tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        forwarding.forward(connection, target)
        write(tenant, 3)
        sealer.step()
        forwarding.forward(connection, target)
        receiver, _ = server.accept()
        with receiver, receiver.makefile("rb") as stream:
            content = stream.read()
    seen = []
    while content:
        length, _, content = content.partition(b" ")
        seen.append(read(content[: int(length)])[2])
        content = content[int(length) :]
    assert seen == [1, 2, 3]


def test_what_could_not_be_sent_is_sent_later(
    begun: None, tenant: Tenant, sealer: Sealing, connection: SealerConnection
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    target = f"tcp://127.0.0.1:{port}"
    forwarding.forward(connection, target)
    write(tenant)
    sealer.step()
    with pytest.raises(OSError, match="refused"):
        forwarding.forward(connection, target)
    before = AuditForwarding.objects.get(target=target).place
    with socket.create_server(("127.0.0.1", port)):
        assert forwarding.forward(connection, target) == 1
    assert AuditForwarding.objects.get(target=target).place == before + 1


def test_a_port_that_is_none_is_told_and_stops_nothing(
    begun: None, tenant: Tenant, sealer: Sealing, staff_client: Client
) -> None:
    target, stop = "udp://127.0.0.1:99999", threading.Event()
    forwarding.forward(sealer.signer.connection, target)
    write(tenant)
    sealer.step()
    work = threading.Thread(target=forwarding.forward_until, args=(stop, target))
    work.start()
    try:
        assert "Port out of range" in _failure_of(target)
        assert work.is_alive()
    finally:
        stop.set()
        work.join()
    told = staff_client.get("/health/detailed").json()["components"]["audit"]
    assert f"{target} is away: Port out of range 0-65535" in told["warning"]
    # The setting was put right, and the sealer started again.
    forwarding.forget_others(sealer.signer.connection)
    assert "warning" not in staff_client.get("/health/detailed").json()["components"]["audit"]


def _failure_of(target: str) -> str:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if failure := AuditForwarding.objects.get(target=target).failure:
            return failure
        time.sleep(0.05)
    return ""
