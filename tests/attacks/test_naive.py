"""The suite proves itself: the files that the platform stands do work on FFmpeg without it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from media_jobs.host import toolchain
from tests.attacks.canaries import Canaries
from tests.attacks.closed_network import ClosedNetwork
from tests.attacks.hostile_containers import CONTAINERS
from tests.attacks.hostile_files import (
    ANOTHERS_FILM,
    OF_HLS,
    OF_PROTOCOLS,
    OF_SCRIPTS,
    HostileFile,
)
from tests.harness.far_end import FarEnd, Page

# The oldest that there is: later ones follow fewer playlists of their own accord.
NAIVE = toolchain.installed()[-1].ffmpeg

pytestmark = [pytest.mark.slow]

FILES = [*ANOTHERS_FILM, *OF_HLS, *OF_PROTOCOLS, *OF_SCRIPTS, *CONTAINERS]


@pytest.fixture(scope="module")
def unguarded(
    network: ClosedNetwork, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Canaries]:
    """Canaries of its own, for they are to be hit."""
    with network.entered():
        canaries = Canaries.placed(tmp_path_factory.mktemp("unguarded") / "canaries")
    with canaries.listeners:
        yield canaries
    canaries.watch.close()


def _given(file: HostileFile, content: bytes, folder: Path, far_end: FarEnd) -> str:
    (folder / file.name).write_bytes(content)
    if file.given == "path":
        return file.name
    return far_end.serve(f"/{quote(file.name)}", Page(content))


def _hits(file: HostileFile, canaries: Canaries, far_end: FarEnd, folder: Path) -> list[str]:
    """What FFmpeg does with the file, started as a shell script would."""
    command = [NAIVE, "-nostdin", "-y", *file.options]
    source = _given(file, file.content(canaries), folder, far_end)
    canaries.seen()
    with subprocess.Popen(
        [*command, "-i", source, "-t", "1", "made.mkv"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        hits: list[str] = []
        deadline = time.monotonic() + 5
        while not hits and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
            hits += canaries.seen()
        process.kill()
    return [*hits, *canaries.seen()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.id} {file.naive}")
def test_naive_ffmpeg_falls_for_it(
    *,
    network: ClosedNetwork,
    unguarded: Canaries,
    far_end: FarEnd,
    tmp_path: Path,
    file: HostileFile,
) -> None:
    """Where the table says that FFmpeg stands by itself, it does: else the table is wrong."""
    with network.entered():
        hits = _hits(file, unguarded, far_end, tmp_path)
    opened = [each for each in hits if each.startswith(("opened", "read"))]
    if file.naive == "reads":
        assert opened
    elif file.naive == "connects":
        assert set(hits) - set(opened)
    else:
        assert hits == []


def test_most_do_fall() -> None:
    """Both kinds of harm are in the tables, each of them many times."""
    kinds = [file.naive for file in FILES]
    assert kinds.count("reads") >= 20
    assert kinds.count("connects") >= 8
