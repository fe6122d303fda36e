"""Of a file behind an address any piece can be had, and all pieces are of one version."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from ffapi_site.lib.netguard import FIRST_BYTES, Downloaded, Policy, Refused, Remote, begin, fetch
from tests.harness.range_server import RangeServer, serving
from tests.lib.hostile_server import HostileServer, answering, ok

BODY = random.Random(1).randbytes(3 * FIRST_BYTES + 5)  # noqa: S311


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_RESUME_AFTER_S", (0.01,) * 5)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[RangeServer]:
    (tmp_path / "a.bin").write_bytes(BODY)
    with serving(tmp_path) as server:
        yield server


def begun(authority: str, path: Path, name: str = "a.bin") -> Remote | Downloaded:
    with path.open("xb") as to:
        policy = Policy(allowlist=frozenset({authority}))
        url = f"http://{authority}/{name}"
        return begin(url, to, policy=policy, max_bytes=len(BODY), timeout_s=20)


def remote(served: RangeServer, path: Path) -> Remote:
    found = begun(served.authority, path)
    assert isinstance(found, Remote)
    return found


def test_it_works(served: RangeServer, tmp_path: Path) -> None:
    found = remote(served, tmp_path / "got")
    assert (found.found.size_bytes, found.found.name) == (len(BODY), "a.bin")
    assert served.sent_bytes == FIRST_BYTES
    with (tmp_path / "got").open("r+b") as to:
        found.fetch(to, len(BODY) - 10, len(BODY))
        found.fetch(to, FIRST_BYTES + 3, FIRST_BYTES + 7)
    got = (tmp_path / "got").read_bytes()
    assert len(got) == len(BODY)
    assert got[:FIRST_BYTES] == BODY[:FIRST_BYTES]
    assert got[FIRST_BYTES + 3 : FIRST_BYTES + 7] == BODY[FIRST_BYTES + 3 : FIRST_BYTES + 7]
    assert got[FIRST_BYTES + 7 : -10] == bytes(2 * FIRST_BYTES - 12)
    assert got[-10:] == BODY[-10:]


@pytest.mark.parametrize("size_bytes", [1, FIRST_BYTES - 1, FIRST_BYTES])
def test_a_small_file_is_there_at_once(
    served: RangeServer, tmp_path: Path, size_bytes: int
) -> None:
    (served.folder / "a.bin").write_bytes(BODY[:size_bytes])
    assert remote(served, tmp_path / "got").found.size_bytes == size_bytes
    assert (tmp_path / "got").read_bytes() == BODY[:size_bytes]


@pytest.mark.parametrize("validator", ['W/"v1"', "", "Mon, 06 Jan 2020 10:00:00 GMT"])
def test_who_can_t_tell_versions_apart_gives_all(
    served: RangeServer, tmp_path: Path, validator: str
) -> None:
    served.validator = validator
    assert isinstance(begun(served.authority, tmp_path / "got"), Downloaded)
    assert (tmp_path / "got").read_bytes() == BODY


def test_who_gives_no_parts_gives_all(tmp_path: Path) -> None:
    with HostileServer(answering(ok(BODY, 'ETag: "v1"'))) as server:
        assert isinstance(begun(server.authority, tmp_path / "got"), Downloaded)
    assert (tmp_path / "got").read_bytes() == BODY
    assert len(server.requests) == 1


def test_an_empty_file_is_one(served: RangeServer, tmp_path: Path) -> None:
    (served.folder / "a.bin").write_bytes(b"")
    found = begun(served.authority, tmp_path / "got")
    assert isinstance(found, Downloaded)
    assert found.size_bytes == 0


def test_pieces_of_another_version_are_none(served: RangeServer, tmp_path: Path) -> None:
    found = remote(served, tmp_path / "got")
    served.validator = '"v2"'
    with (tmp_path / "got").open("r+b") as to, pytest.raises(Refused) as refused:
        found.fetch(to, len(BODY) - 10, len(BODY))
    assert refused.value.code == "content_changed"


@pytest.mark.parametrize(
    "content_range",
    [
        f"bytes 0-{FIRST_BYTES - 1}/*",
        f"bytes 1-{FIRST_BYTES}/{len(BODY)}",
        f"bytes 0-{FIRST_BYTES}/{len(BODY)}",
        f"bytes 0-9/{len(BODY)}",
        "lines 0-1/2",
    ],
)
def test_a_part_that_does_not_fit_is_not_taken(tmp_path: Path, content_range: str) -> None:
    """Then all is asked for, which this server does not give either."""
    part = ok(BODY[:FIRST_BYTES], 'ETag: "v1"', f"Content-Range: {content_range}")
    part = part.replace(b"200 OK", b"206 Partial Content")
    with HostileServer(answering(part)) as server, pytest.raises(Refused) as refused:
        begun(server.authority, tmp_path / "got")
    assert refused.value.code == "bad_status"
    assert [b"Range:" in request for request in server.requests] == [True, False]


def test_a_length_that_is_too_large_ends_it_at_once(tmp_path: Path) -> None:
    content_range = f"Content-Range: bytes 0-{FIRST_BYTES - 1}/{10**15}"
    part = ok(BODY[:FIRST_BYTES], 'ETag: "v1"', content_range)
    part = part.replace(b"200 OK", b"206 Partial Content")
    with HostileServer(answering(part)) as server, pytest.raises(Refused) as refused:
        begun(server.authority, tmp_path / "got")
    assert refused.value.code == "too_large"
    assert (tmp_path / "got").stat().st_size == 0
