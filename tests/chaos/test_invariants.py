"""A checker that finds nothing proves nothing: each is shown what it is there to find."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from chaos import invariants
from chaos.ground import Ground
from chaos.invariants import CHECKS, Evidence
from chaos.ledger import Answer, Entry, Kind, Ledger
from tests.harness.far_end import FarEnd, Received
from tests.harness.programs import FFMPEG_PATH
from tests.harness.server import eventually


@dataclass
class Told:
    """A ground whose database answers what the test says."""

    folder: Path
    answer: list[tuple[Any, ...]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    @property
    def scratch(self) -> Path:
        return self.folder

    def rows(self, *_: object) -> list[tuple[Any, ...]]:
        return self.answer


@pytest.fixture
def seen(tmp_path: Path) -> Iterator[Evidence]:
    ledger = Ledger()
    ledger.open(Entry("amber-1", Kind.SHORT, hook="", job="job_1"))
    with FarEnd() as far_end:
        yield Evidence(cast("Ground", Told(tmp_path)), ledger, far_end)


HASH = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"  # of "hello"
GOOD: dict[str, list[tuple[Any, ...]]] = {
    "i1_every_accepted_submit_is_one_job": [("amber-1", "job_1")],
    "i2_every_job_ended_as_it_should": [("amber-1", "job_1", "completed", None)],
    "i3_a_job_completes_once": [("job_1", {"cpu_seconds": 1}, 1, 1, 1)],
    "i3_outputs_are_whole": [("job_1", "kept", HASH)],
    "i3_one_event_is_sent_for_one_end": [("amber-1", "job_1", ["evt_1"])],
    "i6_caps_were_kept": [(1, "job_1", "running", "t", 1), (2, "job_1", "completed", "t", 1)],
    "i7_every_transition_is_on_record": [
        ("job_1", "", "queued", 0, "completed", 1),
        ("job_1", "queued", "running", 1, "completed", 1),
        ("job_1", "running", "completed", 1, "completed", 1),
    ],
    "i9_every_slot_works": [("slot-1", "", True), ("slot-2", "", True)],
}
BAD: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("i1_every_accepted_submit_is_one_job", []),
    ("i1_every_accepted_submit_is_one_job", [("amber-1", "job_1"), ("amber-1", "job_2")]),
    ("i1_every_accepted_submit_is_one_job", [("amber-1", "job_1"), ("birch-9", "job_2")]),
    ("i2_every_job_has_ended", [("job_1", "running", 2)]),
    ("i2_every_job_ended_as_it_should", [("amber-1", "job_1", "failed", "internal_error")]),
    ("i2_every_job_ended_as_it_should", [("amber-1", "job_1", "canceled", None)]),
    ("i3_a_job_completes_once", [("job_1", {"cpu_seconds": 1}, 2, 1, 1)]),
    ("i3_a_job_completes_once", [("job_1", {}, 1, 1, 1)]),
    ("i3_outputs_are_whole", [("job_1", "gone", HASH)]),
    ("i3_outputs_are_whole", [("job_1", "kept", "0" * 64)]),
    ("i3_one_event_is_sent_for_one_end", [("amber-1", "job_1", None)]),
    ("i3_one_event_is_sent_for_one_end", [("amber-1", "job_1", ["evt_1", "evt_2"])]),
    ("i3_one_event_is_sent_for_one_end", [("amber-1", "job_1", ["evt_2"])]),
    (
        "i6_caps_were_kept",
        [(1, "job_1", "running", "t", 1), (2, "job_2", "running", "t", 1)],
    ),
    ("i7_every_transition_is_on_record", [("job_1", "", "queued", 0, "completed", 1)]),
    ("i7_every_transition_is_on_record", [("job_1", "", "running", 1, "running", 1)]),
    ("i8_what_failed_shows_nothing", [("file_1", "job_1", "failed")]),
    ("i9_every_slot_works", [("slot-1", "", True)]),
    ("i9_every_slot_works", [("slot-1", "", True), ("slot-2", "", False)]),
    ("i9_every_slot_works", [("slot-1", "", True), ("slot-2", "it stands still", True)]),
]


def _check(name: str, seen: Evidence, rows: list[tuple[Any, ...]]) -> list[str]:
    (seen.ground.folder / "media").mkdir(exist_ok=True)
    (seen.ground.folder / "media" / "kept").write_bytes(b"hello")
    received = Received({"webhook-id": "evt_1"}, b"", 0)
    seen.far_end.received["/hook/amber-1"] = [received, received]
    cast("Told", seen.ground).answer = rows
    return list(getattr(invariants, name)(seen))


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_left_alone(seen: Evidence, name: str) -> None:
    assert _check(name, seen, GOOD[name]) == []


@pytest.mark.parametrize(("name", "rows"), BAD)
def test_what_is_wrong_is_found(seen: Evidence, name: str, rows: list[tuple[Any, ...]]) -> None:
    assert _check(name, seen, rows) != []


def test_stray_scratch_is_found(seen: Evidence) -> None:
    assert list(invariants.i5_no_scratch_is_left(seen)) == []
    (seen.ground.scratch / "job_1.1").mkdir()
    assert list(invariants.i5_no_scratch_is_left(seen)) == ["job_1.1 is in the scratch folder"]


def test_a_stray_ffmpeg_is_found(seen: Evidence) -> None:
    assert list(invariants.i4_no_ffmpeg_is_left(seen)) == []
    command = [FFMPEG_PATH, "-v", "quiet", "-nostdin", "-re", "-f", "lavfi", "-i", "anullsrc"]
    with subprocess.Popen([*command, "-f", "null", "-"], cwd=seen.ground.scratch) as stray:
        assert eventually(lambda: bool(list(invariants.i4_no_ffmpeg_is_left(seen))), within_s=10)
        stray.kill()


@pytest.mark.parametrize(
    ("status", "has_retry_after", "violations"),
    [(202, False, 0), (503, True, 0), (503, False, 1), (500, True, 1), (404, False, 1)],
)
def test_what_clients_are_told_is_judged(
    seen: Evidence, *, status: int, has_retry_after: bool, violations: int
) -> None:
    seen.ledger.note(Answer(status, 0.1, "POST", has_retry_after))
    assert len(list(invariants.clients_were_told_the_truth(seen))) == violations


def test_what_a_fault_saw_is_told(seen: Evidence) -> None:
    assert list(invariants.what_faults_saw_was_as_it_should_be(seen)) == []
    seen.ground.violations.append("the reserve is gone")
    found = list(invariants.what_faults_saw_was_as_it_should_be(seen))
    assert found == ["the reserve is gone"]


def test_each_check_is_tried() -> None:
    below = {
        "i4_no_ffmpeg_is_left",
        "i5_no_scratch_is_left",
        "what_faults_saw_was_as_it_should_be",
        "clients_were_told_the_truth",
    }
    assert {check.__name__ for check in CHECKS} == {name for name, _ in BAD} | below
