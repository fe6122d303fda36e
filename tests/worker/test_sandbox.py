from __future__ import annotations

import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from media_jobs import sandbox
from media_jobs.ffmpeg import words
from media_jobs.sandbox import Limits, SandboxUnavailable, cgroup
from media_jobs.sandbox import namespaces as sandbox_namespaces
from tests.harness.programs import FFMPEG_PATH, FFPROBE_PATH

ROOT = Path(__file__).parents[2]
LIMITS = Limits(wall_s=60)
QUIET = ["-nostdin", "-hide_banner", "-loglevel", "error", "-y"]
PICTURE = ["-f", "lavfi", "-i", "testsrc=duration=1:size=160x120:rate=25"]
TONE = ["-f", "lavfi", "-i", "sine=duration=1"]
ENDLESS = [*QUIET, "-re", "-f", "lavfi", "-i", "testsrc=size=64x64", "-f", "null", "-"]


pytestmark = pytest.mark.usefixtures("namespaces")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prepared = tmp_path / "job"
    sandbox.prepare(prepared)
    return prepared


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("clip") / "0.mp4"
    made = [FFMPEG_PATH, *QUIET, *PICTURE, *TONE, "-c:v", "libx264", "-c:a", "aac", str(source)]
    subprocess.run(made, check=True)
    return source


@pytest.fixture
def clip(folder: Path, made_once: Path) -> str:
    shutil.copy(made_once, folder / "in")
    return "in/0.mp4"


def encode(folder: Path, *args: str, limits: Limits = LIMITS) -> sandbox.Finished:
    return sandbox.run(FFMPEG_PATH, [*QUIET, *args], folder=folder, limits=limits)


def frame_count(folder: Path, name: str) -> str:
    args = ["-v", "error", "-count_packets", "-select_streams", "v", "-show_entries"]
    entries = ["stream=nb_read_packets", "-of", "csv=p=0", name]
    answer = sandbox.run(FFPROBE_PATH, [*args, *entries], folder=folder, limits=LIMITS)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.decode().strip().rstrip(",")


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def until(condition: object, *, within_s: float) -> bool:
    assert callable(condition)
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_it_works(folder: Path, clip: str) -> None:
    finished = encode(folder, "-i", clip, "-c:v", "libx264", "-threads", "4", "out/result.mp4")

    assert (finished.returncode, finished.stderr) == (0, "")
    assert not finished.timed_out
    assert finished.cpu_seconds > 0
    assert 0 < finished.wall_seconds < 30
    assert frame_count(folder, "out/result.mp4") == "25"
    assert (folder / "out" / "result.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize(
    ("codec", "name"),
    [("libx265", "r.mp4"), ("libsvtav1", "r.mkv"), ("libvpx-vp9", "r.webm"), ("mpeg4", "r.avi")],
)
def test_video_encoders(folder: Path, clip: str, codec: str, name: str) -> None:
    threads = ["-threads", "4", "-row-mt", "1"] if codec == "libvpx-vp9" else []
    finished = encode(folder, "-i", clip, "-c:v", codec, *threads, "-an", f"out/{name}")

    assert finished.returncode == 0, finished.stderr
    assert frame_count(folder, f"out/{name}") == "25"


@pytest.mark.parametrize(
    "filters",
    [
        ["-vf", "drawtext=fontfile=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:text=shown"],
        ["-vf", "drawtext=font=DejaVu Sans:text=shown"],
        ["-vf", "subtitles=in/words.srt"],
    ],
    ids=["fontfile", "fontconfig", "libass"],
)
def test_text_is_drawn(folder: Path, clip: str, filters: list[str]) -> None:
    (folder / "in" / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nshown\n")
    plain = encode(folder, "-i", clip, "-frames:v", "1", "out/plain.png")
    drawn = encode(folder, "-i", clip, *filters, "-frames:v", "1", "out/drawn.png")

    assert (plain.returncode, drawn.returncode) == (0, 0), drawn.stderr
    assert (folder / "out/plain.png").read_bytes() != (folder / "out/drawn.png").read_bytes()


def test_what_it_makes_is_no_other_user_s_to_read(folder: Path) -> None:
    assert encode(folder, *TONE, "out/tone.wav").returncode == 0
    assert (folder / "out" / "tone.wav").stat().st_mode & 0o777 == 0o600


def test_two_passes_share_tmp(folder: Path, clip: str) -> None:
    common = ["-i", clip, "-c:v", "libx264", "-b:v", "200k", "-passlogfile", "tmp/pass"]
    first = encode(folder, *common, "-pass", "1", "-an", "-f", "null", "/dev/null")
    second = encode(folder, *common, "-pass", "2", "out/result.mp4")

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr


def test_loudness_is_measured(folder: Path, clip: str) -> None:
    args = ["-nostdin", "-i", clip, "-af", "loudnorm=print_format=json", "-f", "null", "-"]
    finished = sandbox.run(FFMPEG_PATH, args, folder=folder, limits=LIMITS)

    assert finished.returncode == 0
    assert '"input_i"' in finished.stderr


def test_stdout_is_bounded(folder: Path) -> None:
    # 20 MiB of raw video, while 16 are kept.
    finished = encode(
        folder, "-f", "lavfi", "-i", "color=size=1024x1024:rate=20", "-t", "1",
        "-pix_fmt", "gray", "-f", "rawvideo", "-",
    )  # fmt: skip

    assert finished.returncode == 0
    assert len(finished.stdout) == 16 << 20
    assert finished.stdout_truncated


def test_stdout_is_given_on_as_it_comes(folder: Path) -> None:
    pieces: list[bytes] = []
    args = (*QUIET, "-f", "lavfi", "-i", "color=size=64x64:rate=10", "-t", "1")
    raw = ("-pix_fmt", "gray", "-f", "rawvideo", "-")
    process = sandbox.start(FFMPEG_PATH, (*args, *raw), folder=folder, limits=LIMITS)
    finished = sandbox.finish(process, on_stdout=pieces.append)
    assert len(b"".join(pieces)) == 10 * 64 * 64
    assert (finished.returncode, finished.stdout, finished.stdout_truncated) == (0, b"", False)


def test_a_hard_linked_input_cannot_be_changed(folder: Path, clip: str, tmp_path: Path) -> None:
    stored = tmp_path / "stored.mp4"
    os.link(folder / clip, stored)
    stored.chmod(0o666)
    before = stored.read_bytes()

    finished = encode(folder, *PICTURE, clip)

    assert finished.returncode != 0
    assert re.search("Permission denied|Read-only file system", finished.stderr)
    assert stored.read_bytes() == before


def test_deadline_kills(folder: Path) -> None:
    finished = sandbox.run(FFMPEG_PATH, ENDLESS, folder=folder, limits=Limits(wall_s=0.5))

    assert finished.timed_out
    assert finished.returncode == -signal.SIGKILL
    assert 0.4 < finished.wall_seconds < 2


def test_what_nobody_watches_any_more_is_killed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its deadline and its memory are bounded by a thread, which may fail as well."""
    monkeypatch.setattr(sandbox.Process, "_resident_bytes", lambda _: 1 / 0)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    finished = sandbox.run(FFMPEG_PATH, ENDLESS, folder=folder, limits=Limits(wall_s=60))
    assert finished.returncode == -signal.SIGKILL
    assert finished.wall_seconds < 30


def test_processor_time_is_limited(folder: Path) -> None:
    busy = ["-f", "lavfi", "-i", "testsrc2=size=1280x720", "-f", "null", "-"]
    finished = encode(folder, *busy, limits=Limits(wall_s=60, cpu_s=1))

    assert finished.returncode not in (0, None)
    assert not finished.timed_out
    assert 0.5 < finished.cpu_seconds < 4


LARGE = ["-f", "lavfi", "-i", "testsrc=size=4000x4000", "-c:v", "libx264", "out/large.mp4"]
# Keeps all that it has read: 280 MB a second.
GROWING = [
    *("-re", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=200"),
    *("-vf", "reverse", "-f", "null", "-"),
]


def test_memory_is_limited(folder: Path) -> None:
    """What it holds is watched twice a second."""
    finished = encode(folder, *GROWING, limits=Limits(wall_s=20, memory_bytes=800 << 20))

    assert (finished.returncode, finished.out_of_memory) == (-signal.SIGKILL, True)


def test_addresses_are_limited(folder: Path) -> None:
    """To twice as much, which nothing can outrun."""
    finished = encode(folder, *LARGE, limits=Limits(wall_s=20, memory_bytes=250 << 20))

    assert finished.returncode != 0
    assert finished.out_of_memory or "malloc of size" in finished.stderr


IN_A_GROUP = f"""
import sys
from pathlib import Path
from media_jobs import sandbox
from media_jobs.sandbox import cgroup
cgroup.enter(400 << 20)
assert sandbox.report().layers["cgroup"].active
try:
    finished = sandbox.run(
        {FFMPEG_PATH!r}, sys.argv[2:], folder=Path(sys.argv[1]), limits=sandbox.Limits(wall_s=30)
    )
    print(finished.returncode, finished.out_of_memory, cgroup.oom_kills())
finally:
    cgroup.leave()
assert not cgroup.is_entered()
"""


@pytest.mark.skipif(cgroup.found()[0] is None, reason="no control group can be made here")
def test_the_memory_of_a_slot_is_limited(folder: Path) -> None:
    """By the kernel: FFmpeg is killed and the slot goes on."""
    command = [sys.executable, "-c", IN_A_GROUP, str(folder), *QUIET, *LARGE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stdout.split() == ["-9", "True", "1"], done.stderr


def test_output_size_is_limited(folder: Path) -> None:
    raw = [*PICTURE, "-f", "rawvideo", "out/large.raw"]
    finished = encode(folder, *raw, limits=Limits(wall_s=60, output_bytes=100_000))

    assert finished.returncode == -signal.SIGXFSZ or "File too large" in finished.stderr
    assert (folder / "out" / "large.raw").stat().st_size <= 100_000


def test_kill_is_immediate_and_idempotent(folder: Path) -> None:
    process = sandbox.start(FFMPEG_PATH, ENDLESS, folder=folder, limits=LIMITS)
    with process.stdout, process.stderr:
        assert os.getpgid(process.pid) == os.getsid(process.pid) != os.getsid(0)
        with pytest.raises(TimeoutError):
            process.wait(0.1)
        process.kill()
        process.kill()
        assert process.wait(5).returncode == -signal.SIGKILL
        process.kill()
        assert process.wait() is process.wait()


WORKER = f"""
import sys, time
from pathlib import Path
from media_jobs import sandbox
folder = Path(sys.argv[1])
limits = sandbox.Limits(wall_s=60)
process = sandbox.start({FFMPEG_PATH!r}, sys.argv[2:], folder=folder, limits=limits)
print(process.pid, flush=True)
time.sleep(60)
"""


def test_ffmpeg_dies_with_the_worker(folder: Path) -> None:
    command = [sys.executable, "-c", WORKER, str(folder), *ENDLESS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        assert is_running(pid)
        worker.kill()
        assert until(lambda: not is_running(pid), within_s=1)


def test_environment_is_empty(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "do-not-tell")
    process = sandbox.start(FFMPEG_PATH, ENDLESS, folder=folder, limits=LIMITS)
    with process.stdout, process.stderr:
        environment = Path(f"/proc/{process.pid}/environ").read_bytes().decode()
        process.kill()
        process.wait()

    names = {entry.partition("=")[0] for entry in environment.split("\0") if entry}
    assert names == {"PATH", "LANG", "HOME", "TMPDIR", "XDG_CACHE_HOME", *words.MARKED}


def test_descriptors_are_closed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    with (tmp_path / "secret.txt").open() as secret:
        os.set_inheritable(secret.fileno(), True)
        process = sandbox.start(FFMPEG_PATH, ENDLESS, folder=folder, limits=LIMITS)
        with process.stdout, process.stderr:
            targets = list(_open_files(process.pid))
            process.kill()
            process.wait()

    # The loader may still have a library open.
    assert len([target for target in targets if ".so" not in target.name]) == 3
    assert tmp_path / "secret.txt" not in targets


def _open_files(pid: int) -> Iterator[Path]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            yield descriptor.readlink()


def _limits_of_a_process(folder: Path) -> dict[str, tuple[str, str]]:
    """What the kernel holds FFmpeg to, soft and hard."""
    process = sandbox.start(FFMPEG_PATH, ENDLESS, folder=folder, limits=LIMITS)
    with process.stdout, process.stderr:
        told = Path(f"/proc/{process.pid}/limits").read_text()
        process.kill()
        process.wait()
    found = re.findall(r"^(Max [a-z ]+?)  +(\w+) +(\w+)", told, re.MULTILINE)
    return {name: (soft, hard) for name, soft, hard in found}


def test_threads_are_limited(folder: Path) -> None:
    """Where there is no control group too."""
    soft, hard = _limits_of_a_process(folder)["Max processes"]
    assert int(soft) == int(hard) < 20_000


def test_no_core_is_left_and_few_files_are_open(folder: Path) -> None:
    """A core has all that was in memory, and lies where the host says."""
    limits = _limits_of_a_process(folder)
    assert limits["Max core file size"] == ("0", "0")
    assert limits["Max open files"] == ("256", "256")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")
def test_root_becomes_nobody(folder: Path) -> None:
    process = sandbox.start(FFMPEG_PATH, ENDLESS, folder=folder, limits=LIMITS)
    with process.stdout, process.stderr:
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.kill()
        process.wait()

    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert facts["Uid"].split() == ["65534"] * 4
    assert facts["Gid"].split() == ["65534"] * 4
    assert facts["Groups"].strip() == ""
    assert int(facts["CapPrm"], 16) == 0
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"


UNPRIVILEGED = f"""
import sys
from pathlib import Path
from media_jobs import sandbox
folder = Path(sys.argv[1])
sandbox.prepare(folder)
limits = sandbox.Limits(wall_s=30)
finished = sandbox.run({FFMPEG_PATH!r}, sys.argv[2:], folder=folder, limits=limits)
assert finished.returncode == 0, finished.stderr
assert (folder / "out/result.mp4").read_bytes()[4:8] == b"ftyp"
assert all(probe.blocked for probe in sandbox.selftest(folder, folder.with_name("other")))
print(sandbox.report().layers["user"].reason)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change users")
@pytest.mark.skipif(not Path("/usr/bin/python3").exists(), reason="needs a Python for everybody")
def test_a_worker_without_root_can_use_it(tmp_path: Path) -> None:
    home = Path("/var/tmp") / f"ffapi-test-{os.getpid()}"  # noqa: S108 - pytest's own is closed
    home.mkdir(mode=0o700)
    os.chown(home, 1234, 1234)
    command = ["/usr/bin/python3", "-c", UNPRIVILEGED, str(home / "job"), *QUIET, *PICTURE]
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    try:
        done = subprocess.run(
            [*command, "out/result.mp4"], user=1234, group=1234, extra_groups=[], cwd=ROOT,
            env=os.environ | {"PYTHONPATH": packages}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "the worker does not run as root"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="No such file"):
        sandbox.run(FFMPEG_PATH, ["-version"], folder=tmp_path / "missing", limits=LIMITS)


def test_report() -> None:
    report = sandbox.report()

    assert report.allowed
    assert report.level in ("full", "reduced")
    assert report.layers["landlock"].active
    assert int(report.layers["landlock"].version or 0) >= 1
    assert report.layers["seccomp"].version == platform.machine()
    for layer in report.layers.values():
        assert layer.active or layer.reason


def test_an_escape_outweighs_what_is_installed() -> None:
    report = sandbox.report([sandbox.Probe("tcp", blocked=False)])

    assert (report.level, report.allowed) == ("none", False)


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_a_missing_layer_is_reported(
    layer: str, namespaces: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFAPI_SANDBOX_DISABLE", layer)
    assert sandbox.report().layers[layer].active, "switched off without being allowed to"

    monkeypatch.setenv("ALLOW_DEGRADED_SANDBOX", "1")
    report = sandbox.report()
    assert not report.layers[layer].active
    assert report.layers[layer].reason
    holds = layer == "landlock" and namespaces == "on"
    assert (report.level, report.allowed) == ("reduced" if holds else "none", True)


@pytest.mark.parametrize(
    ("setting", "layer"),
    [("FFAPI_SANDBOX_NAMESPACES", "namespaces"), ("FFAPI_SANDBOX_CGROUP", "cgroup")],
)
def test_a_layer_that_is_off_is_reported(
    setting: str, layer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, "off")
    report = sandbox.report()
    assert not report.layers[layer].active
    assert report.layers[layer].reason == f"{setting} is off"
    assert (report.level, report.allowed) == ("reduced", True)


def test_namespaces_stand_in_for_landlock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFAPI_SANDBOX_NAMESPACES", "auto")
    with_landlock = sandbox.report()
    assert not with_landlock.layers["namespaces"].active
    assert "Landlock does the same" in (with_landlock.layers["namespaces"].reason or "")
    monkeypatch.setattr("media_jobs.sandbox.landlock.version", lambda: (0, "no Landlock"))
    without = sandbox.report()
    is_possible = sandbox_namespaces.unavailable_reason() is None
    assert without.layers["namespaces"].active == is_possible
    assert without.allowed == is_possible


def test_namespaces_can_be_required(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FFAPI_SANDBOX_NAMESPACES", "on")
    monkeypatch.setattr(sandbox_namespaces, "unavailable_reason", lambda: "the host forbids them")
    assert (sandbox.report().level, sandbox.report().allowed) == ("none", False)
    with pytest.raises(SandboxUnavailable, match="namespaces: the host forbids them"):
        encode(folder, *PICTURE, "out/result.mp4")


def test_nothing_starts_without_a_required_layer(
    folder: Path, namespaces: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "media_jobs.sandbox.landlock.version", lambda: (0, "the kernel has no Landlock")
    )
    if namespaces == "off":
        with pytest.raises(SandboxUnavailable, match="landlock: the kernel has no Landlock"):
            encode(folder, *PICTURE, "out/result.mp4")
        assert list((folder / "out").iterdir()) == []
        monkeypatch.setenv("ALLOW_DEGRADED_SANDBOX", "1")
    assert encode(folder, *PICTURE, "out/result.mp4").returncode == 0
