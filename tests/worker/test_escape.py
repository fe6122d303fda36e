from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from media_jobs import sandbox
from media_jobs.host import toolchain
from media_jobs.sandbox import Limits
from tests.each_build import BUILDS
from tests.harness.programs import FFMPEG_PATH

within_namespaces_and_without = pytest.mark.usefixtures("namespaces")

LIMITS = Limits(wall_s=20)
QUIET = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
BLANK = ["-f", "lavfi", "-i", "color=size=64x64:duration=0.2"]
PICTURE = ["-frames:v", "1", "out/taken.png"]
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"
PLAYLIST = ["-i", "in/upload.mp4", *PICTURE]
MARKED = "metadata=add:key=a:value=b,"
OPEN_PLAYLIST = ["-protocol_whitelist", "file,http,tcp,crypto", *PLAYLIST]


@dataclass(frozen=True)
class Attack:
    """A command line that reaches ``{victim}`` or ``{port}`` where nothing stops it."""

    name: str
    args: list[str]
    upload: str = ""
    reaches: str = "out/taken.png"


ATTACKS = [
    Attack("hls_absolute", PLAYLIST, upload=HLS.format("file://{victim}/private.ts")),
    Attack("hls_relative", PLAYLIST, upload=HLS.format("../../victim/private.ts")),
    Attack("hls_network", OPEN_PLAYLIST, upload=HLS.format("http://127.0.0.1:{port}/x.ts")),
    Attack("hls_key", OPEN_PLAYLIST, upload="#EXTM3U\n#EXT-X-TARGETDURATION:1\n"
           '#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:{port}/key"\n'
           "#EXTINF:1,\nhttp://127.0.0.1:{port}/x.ts\n#EXT-X-ENDLIST\n"),
    Attack("concat_script", ["-f", "concat", "-safe", "0", "-i", "in/upload.mp4", *PICTURE],
           upload="ffconcat version 1.0\nfile '{victim}/private.ts'\n"),
    Attack("absolute_input", ["-i", "{victim}/private.ts", *PICTURE]),
    Attack("concat_protocol", ["-i", "concat:{victim}/private.ts", *PICTURE]),
    Attack("subfile", ["-i", "subfile,,start,0,end,0,,:{victim}/private.ts", *PICTURE]),
    Attack("proc_root", ["-i", "/proc/self/root{victim}/private.ts", *PICTURE]),
    Attack("symlink", ["-i", "in/link.ts", *PICTURE]),
    Attack("movie", ["-filter_complex", "movie={victim}/private.ts", *PICTURE]),
    Attack("amovie", [*BLANK, "-filter_complex", "amovie={victim}/private.ts[a]", "-map", "[a]",
                      "out/taken.wav"], reaches="out/taken.wav"),
    Attack("drawtext", [*BLANK, "-vf", "drawtext=textfile={victim}/private.txt", *PICTURE]),
    Attack("subtitles", [*BLANK, "-vf", "subtitles={victim}/private.srt", *PICTURE]),
    Attack("lut", [*BLANK, "-vf", "lut3d={victim}/private.cube", *PICTURE]),
    Attack("filter_script", [*BLANK, "-filter_complex_script", "{victim}/graph.txt", *PICTURE]),
    Attack("attach", [*BLANK, "-attach", "{victim}/private.txt", "-metadata:s:t",
                      "mimetype=text/plain", "out/taken.mkv"], reaches="out/taken.mkv"),
    Attack("write_outside", [*BLANK, "{victim}/made.mkv"], reaches="{victim}/made.mkv"),
    Attack("write_input", [*BLANK, "in/made.mkv"], reaches="in/made.mkv"),
    Attack("write_folder", [*BLANK, "made.mkv"], reaches="made.mkv"),
    Attack("tee", [*BLANK, "-map", "0", "-c:v", "mpeg4", "-f", "tee", "{victim}/tee.mkv"],
           reaches="{victim}/tee.mkv"),
    Attack("statistics", [*BLANK, "-c:v", "libx264", "-x264-params",
                          "pass=1:stats={victim}/stats", "out/taken.mkv"],
           reaches="{victim}/stats"),
    Attack("metadata", [*BLANK, "-vf", MARKED + "metadata=print:file={victim}/m.txt", *PICTURE],
           reaches="{victim}/m.txt"),
    Attack("tcp_input", ["-i", "http://127.0.0.1:{port}/x.ts", *PICTURE]),
    Attack("tcp_output", [*BLANK, "-f", "mpegts", "tcp://127.0.0.1:{port}"], reaches=""),
    Attack("udp_output", [*BLANK, "-f", "mpegts", "udp://127.0.0.1:{port}"], reaches=""),
    Attack("unix_output", [*BLANK, "-f", "mpegts", "unix:{victim}/socket"], reaches=""),
    Attack("progress", ["-progress", "http://127.0.0.1:{port}/", *BLANK, *PICTURE], reaches=""),
]  # fmt: skip


class Listener:
    """TCP, UDP and a path: counts whoever comes, answers nobody."""

    def __init__(self, folder: Path) -> None:
        self.contacts = 0
        self.tcp = socket.create_server(("127.0.0.1", 0))
        self.port = self.tcp.getsockname()[1]
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        self.unix = socket.socket(socket.AF_UNIX)
        self.unix.bind(str(folder / "socket"))
        self.unix.listen()
        (folder / "socket").chmod(0o777)
        self.threads = [threading.Thread(target=self._accept, args=(s,)) for s in self.streams]
        self.threads.append(threading.Thread(target=self._receive))
        for thread in self.threads:
            thread.start()

    @property
    def streams(self) -> tuple[socket.socket, socket.socket]:
        return self.tcp, self.unix

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.contacts += 1
            connection.close()

    def _receive(self) -> None:
        while self.udp.recv(65536):
            self.contacts += 1

    def close(self) -> None:
        for stream in self.streams:
            stream.shutdown(socket.SHUT_RDWR)
        self.udp.sendto(b"", self.udp.getsockname())
        for thread in self.threads:
            thread.join()
        for opened in (*self.streams, self.udp):
            opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepared = tmp_path / "jobs" / "attacker"
    sandbox.prepare(prepared)
    return prepared


def _let_pass(folder: Path) -> None:
    """Let every user pass to ``folder``, which pytest keeps to its own."""
    everybodys = Path(tempfile.gettempdir())
    for each in (folder, *folder.parents):
        if each == everybodys:
            break
        each.chmod(0o755)


@pytest.fixture
def neighbour(tmp_path: Path) -> Path:
    """The folder of another job, whose parents let the sandbox's user pass."""
    _let_pass(tmp_path)
    (tmp_path / "jobs").mkdir(exist_ok=True, mode=0o755)
    return tmp_path / "jobs" / "neighbour"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    film = tmp_path_factory.mktemp("private") / "private.ts"
    made = ["-f", "lavfi", "-i", "testsrc=duration=0.2", "-f", "lavfi", "-i", "sine=duration=0.2"]
    subprocess.run([FFMPEG_PATH, *QUIET, *made, str(film)], check=True)
    return film


@pytest.fixture
def victim(tmp_path: Path, film: Path) -> Path:
    """Another tenant's files, which nothing but the sandbox protects from the attacker."""
    _let_pass(tmp_path)
    private = tmp_path / "jobs" / "victim"
    private.mkdir(parents=True)
    private.parent.chmod(0o755)
    private.chmod(0o777)
    shutil.copy(film, private)
    (private / "private.txt").write_text("secret")
    (private / "private.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nsecret\n")
    entries = "\n".join(f"{r} {g} {b}" for b in (0, 1) for g in (0, 1) for r in (0, 1))
    (private / "private.cube").write_text(f"LUT_3D_SIZE 2\n{entries}\n")
    (private / "graph.txt").write_text("[0:v]negate")
    return private


@pytest.fixture
def listener(victim: Path) -> Iterator[Listener]:
    opened = Listener(victim)
    yield opened
    opened.close()


def prepare_attack(attack: Attack, folder: Path, victim: Path, port: int) -> list[str]:
    def filled(text: str) -> str:
        return text.replace("{victim}", str(victim)).replace("{port}", str(port))

    (folder / "in" / "upload.mp4").write_text(filled(attack.upload))
    (folder / "in" / "link.ts").symlink_to(victim / "private.ts")
    return [*QUIET, *map(filled, attack.args)]


def has_reached(attack: Attack, folder: Path, victim: Path, listener: Listener) -> bool:
    if listener.contacts:
        return True
    if not attack.reaches:
        return False
    place = Path(attack.reaches.replace("{victim}", str(victim)))
    target = place if place.is_absolute() else folder / place
    return target.exists() and target.stat().st_size > 0


@within_namespaces_and_without
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
@pytest.mark.parametrize("ffmpeg", BUILDS)
def test_attack_fails(
    attack: Attack, ffmpeg: str, folder: Path, victim: Path, listener: Listener
) -> None:
    args = prepare_attack(attack, folder, victim, listener.port)
    before = sorted(victim.iterdir())

    finished = sandbox.run(ffmpeg, args, folder=folder, limits=LIMITS)

    assert not has_reached(attack, folder, victim, listener), finished.stderr
    assert sorted(victim.iterdir()) == before
    assert not finished.timed_out
    assert "secret" not in finished.stderr


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack_would_work(attack: Attack, folder: Path, victim: Path, listener: Listener) -> None:
    """The other half of the proof: with some FFmpeg the same line gets there without the sandbox.

    Later ones follow fewer playlists of their own accord.
    """
    args = prepare_attack(attack, folder, victim, listener.port)
    for build in reversed(toolchain.installed()):
        subprocess.run(
            [build.ffmpeg, *args], cwd=folder, capture_output=True, timeout=20, check=False
        )
        if has_reached(attack, folder, victim, listener):
            return
    pytest.fail("it gets nowhere without the sandbox either")


@within_namespaces_and_without
def test_selftest_finds_nothing_open(folder: Path, neighbour: Path) -> None:
    probes = sandbox.selftest(folder, neighbour)

    assert [probe.name for probe in probes if not probe.blocked] == []
    assert len({probe.name for probe in probes}) == len(probes) >= 61
    assert sandbox.report(probes).allowed


OTHERS = {"fork", "clone3", "hard_link", "signal_by_kernel", "schedule_parent", "outlive_parent"}
KERNEL = {"io_uring", "memfd", "bpf", "keyctl", "user_namespace", "terminal_input"}
SOCKETS = {"udp", "netlink", "socketpair"}
FILES = {"read_outside", "list_outside", "write_outside", "read_passwd"}
FILES |= {"read_other_job", "list_other_job", "write_other_job"}
ATTRIBUTES = {"touch", "change_owner", "lease", "watch_folder", "lock_folder", "file_flags"}
KERNEL |= ATTRIBUTES | {"change_user", "splice", "take_room_at_once"}
ALL = OTHERS | KERNEL | SOCKETS | FILES | {"unix", "abstract", "tcp", "run_shell", "reach_a_canary"}


@within_namespaces_and_without
@pytest.mark.parametrize(
    ("switched_off", "opened"),
    [
        ("seccomp", OTHERS | KERNEL | SOCKETS),
        ("seccomp,namespaces", OTHERS | KERNEL | SOCKETS | {"unix", "reach_a_canary"}),
        ("landlock,namespaces", FILES),
        ("landlock,seccomp", OTHERS | KERNEL | SOCKETS),
        ("landlock,seccomp,namespaces", ALL),
    ],
)
def test_selftest_sees_what_a_missing_layer_opens(
    switched_off: str,
    opened: set[str],
    folder: Path,
    neighbour: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ALLOW_DEGRADED_SANDBOX", "1")
    monkeypatch.setenv("FFAPI_SANDBOX_DISABLE", switched_off)

    probes = sandbox.selftest(folder, neighbour)

    assert opened - {probe.name for probe in probes if not probe.blocked} == set()
    assert sandbox.report(probes).level == "none"


def test_namespaces_stand_in_for_landlock(
    namespaces: str, folder: Path, neighbour: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_DEGRADED_SANDBOX", "1")
    monkeypatch.setenv("FFAPI_SANDBOX_DISABLE", "landlock")

    probes = sandbox.selftest(folder, neighbour)

    holds = namespaces == "on"
    assert all(probe.blocked for probe in probes) == holds
    assert sandbox.report(probes).level == ("reduced" if holds else "none")
