"""A long download is quicker over several connections, whatever one of them does."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ffapi_site.lib.netguard import Downloaded, Policy, Refused, download, fetch, several_lines
from tests.harness.range_server import RangeServer, serving
from tests.lib.hostile_server import HostileServer

MIB = 1 << 20
BODY = random.Random(1).randbytes(8 * MIB + 5)  # noqa: S311


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_RESUME_AFTER_S", (0.01,) * 5)
    monkeypatch.setattr(several_lines, "_LEAST_BYTES", MIB)
    monkeypatch.setattr(several_lines, "_SEGMENT_BYTES", MIB // 4)
    monkeypatch.setattr(several_lines, "_TRIED_S", 0.05)
    monkeypatch.setattr(several_lines, "_GAIN", 0.0)  # more lines are always taken for quicker


@pytest.fixture
def served(tmp_path: Path) -> Iterator[RangeServer]:
    (tmp_path / "a.bin").write_bytes(BODY)
    with serving(tmp_path) as server:
        server.bytes_a_second = 8 * MIB
        yield server


def downloaded(
    served: RangeServer, path: Path, on_progress: Callable[[int, int | None], None] | None = None
) -> Downloaded:
    with path.open("x+b") as to:
        return download(
            served.at("a.bin"),
            to,
            policy=Policy(allowlist=frozenset({served.authority})),
            max_bytes=len(BODY),
            timeout_s=60,
            on_progress=on_progress,
        )


def test_it_works(served: RangeServer, tmp_path: Path) -> None:
    found = downloaded(served, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == BODY
    assert found.size_bytes == len(BODY)
    assert found.sha256 == hashlib.sha256(BODY).hexdigest()
    assert served.most_at_once == 4


def test_where_all_lines_together_are_as_slow_two_must_do(
    served: RangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(several_lines, "_GAIN", 3.0)  # whatever else this machine does meanwhile
    served.shares_its_pace = True
    downloaded(served, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == BODY
    assert served.most_at_once == 2


@pytest.mark.parametrize("validator", ['W/"v1"', ""])
def test_who_can_t_tell_versions_apart_is_asked_once(
    served: RangeServer, tmp_path: Path, validator: str
) -> None:
    served.validator = validator
    downloaded(served, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == BODY
    assert served.asked == [""]


def test_what_another_line_could_not_fetch_is_fetched(served: RangeServer, tmp_path: Path) -> None:
    served.failing = frozenset({2, 3, 5})
    found = downloaded(served, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == BODY
    assert found.sha256 == hashlib.sha256(BODY).hexdigest()


def test_what_is_hashed_is_what_is_there_in_the_end(served: RangeServer, tmp_path: Path) -> None:
    """Whatever a server gives where its lines meet."""
    served.lies = True
    served.failing = frozenset({2})
    found = downloaded(served, tmp_path / "got")
    got = (tmp_path / "got").read_bytes()
    assert got != BODY
    assert found.sha256 == hashlib.sha256(got).hexdigest()


def test_a_line_that_drips_holds_up_nobody(
    served: RangeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(several_lines, "_PATIENCE_S", 0.5)
    served.bytes_a_second_of_ranges = MIB / 16  # four seconds for a segment
    downloaded(served, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == BODY


def test_a_head_without_end_holds_up_nobody_who_gives_up(tmp_path: Path) -> None:
    def drips(_: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\n"
        while True:
            time.sleep(0.1)
            yield b"x: y\r\n"

    def gives_up(_got: int, _of: int | None) -> None:
        raise LookupError

    with HostileServer(drips) as server, pytest.raises(LookupError):
        downloaded(RangeServer(tmp_path, server.authority), tmp_path / "got", gives_up)


def test_a_file_that_changes_meanwhile_is_no_file(served: RangeServer, tmp_path: Path) -> None:
    served.changes_after = 3
    with pytest.raises(Refused) as refused:
        downloaded(served, tmp_path / "got")
    assert refused.value.code == "content_changed"


def test_who_gives_up_ends_the_others(served: RangeServer, tmp_path: Path) -> None:
    def gives_up(got: int, _of: int | None) -> None:
        if got > len(BODY) / 2:
            raise LookupError

    with pytest.raises(LookupError):
        downloaded(served, tmp_path / "got", gives_up)
    time.sleep(0.5)  # for what was under way
    asked = len(served.asked)
    time.sleep(0.5)
    assert len(served.asked) == asked
    assert served.sent_bytes < len(BODY)
