from __future__ import annotations

import os
import shutil
import stat
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from pytest_django import Settings

from media_jobs import sandbox
from media_jobs.ffmpeg.command import Command
from media_jobs.host import builds, bundled, sandbox_check, toolchain
from media_jobs.host.builds import Build
from media_jobs.host.capabilities import capabilities

LIMITS = sandbox.Limits(wall_s=20)
needs_the_machine_s = pytest.mark.skipif(
    shutil.which("ffmpeg") is None, reason="this machine has no FFmpeg of its own"
)


def names() -> list[str]:
    return [build.name for build in toolchain.installed()]


def test_the_bundled_ones_come_first() -> None:
    assert names()[:2] == ["bundled", "static"]
    version = toolchain.tried_once(toolchain.installed()[0]).capabilities.version
    assert version.startswith("n9.0")


def test_each_of_them_runs_in_the_sandbox() -> None:
    for build in toolchain.installed():
        tried = toolchain.tried_once(build)
        assert tried.reason == "", build
        assert {"libx264", "aac"} <= tried.capabilities.encoders, build
        assert {"scale", "concat"} <= tried.capabilities.filters, build
        assert {"mp4", "matroska"} <= tried.capabilities.muxers, build


def test_the_programs_are_the_pinned_ones() -> None:
    wheels = bundled.wheels()
    assert wheels is not None
    for pinned in (wheels.ffmpeg, wheels.static_ffmpeg, wheels.ffprobe):
        path = str(pinned.path())
        assert toolchain.sha256(path, builds.stamp_of(path)) == pinned.sha256, pinned.file


@needs_the_machine_s
def test_the_machine_s_own_by_setting(settings: Settings) -> None:
    settings.FFMPEG_BUILD = "system"
    assert names() == ["system"]
    assert toolchain.ffprobe() == os.path.realpath(str(shutil.which("ffprobe")))


def folder_of(build: Build, to: Path) -> Path:
    """A folder with the two programs under their usual names."""
    to.mkdir()
    (to / "ffmpeg").symlink_to(build.ffmpeg)
    (to / "ffprobe").symlink_to(build.ffprobe)
    return to


def test_a_folder_by_setting(settings: Settings, tmp_path: Path) -> None:
    build = toolchain.installed()[1]
    settings.FFMPEG_BUILD = str(folder_of(build, tmp_path / "programs"))
    assert toolchain.installed() == (Build("folder", build.ffmpeg, build.ffprobe),)


def test_a_folder_with_half_of_them_is_none(settings: Settings, tmp_path: Path) -> None:
    folder_of(toolchain.installed()[0], tmp_path / "programs")
    (tmp_path / "programs/ffprobe").unlink()
    settings.FFMPEG_BUILD = str(tmp_path / "programs")
    with pytest.raises(sandbox.SandboxUnavailable, match="no FFmpeg is installed"):
        toolchain.for_command(Command(("-version",)))


def test_a_command_gets_the_first_that_has_what_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The static one draws no texts."""
    bundled_one, static = builds.of_wheels()
    monkeypatch.setattr(builds, "of_wheels", lambda: (static, bundled_one))
    plain, drawn = (
        Command(("-i", "in/0.mp4", "-vf", filters, "-f", "null", "-"))
        for filters in ("scale=2:2", "drawtext=text=a")
    )
    assert toolchain.for_command(plain).build == static
    assert toolchain.for_command(drawn).build == bundled_one


@needs_the_machine_s
def test_what_the_bundled_ones_lack_the_machine_s_own_does() -> None:
    of_bundled = toolchain.tried_once(toolchain.installed()[0]).capabilities.encoders
    of_system = toolchain.tried_once(toolchain.installed()[-1]).capabilities.encoders
    only_there = sorted(of_system - of_bundled)
    if not only_there:
        pytest.skip("the machine's own has nothing more")
    command = Command(("-i", "in/0.wav", "-c:a", only_there[0], "-f", "null", "-"))
    assert toolchain.for_command(command).build.name == "system"
    assert not capabilities().lacks_encoder(only_there[0])


def test_what_none_has_is_said() -> None:
    command = Command(("-i", "in/0.mp4", "-vf", "nothing,scale=2:2", "-c:v", "libx999", "o.mp4"))
    with pytest.raises(toolchain.Lacking, match="encoder libx999 and the filter nothing"):
        toolchain.for_command(command)


@pytest.fixture
def broken(settings: Settings, tmp_path: Path) -> Path:
    """An FFmpeg that was built for another machine."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("ffmpeg", "ffprobe"):
        (folder / name).write_bytes(b"\x7fELF of something else")
        (folder / name).chmod(0o755)
    settings.FFMPEG_BUILD = str(folder)
    return folder


def test_one_that_does_not_run_is_not_used(broken: Path) -> None:
    [build] = toolchain.installed()
    assert "Exec format error" in toolchain.tried_once(build).reason
    with pytest.raises(sandbox.SandboxUnavailable, match=r"folder: .*Exec format error"):
        toolchain.for_command(Command(("-version",)))


def test_one_that_was_replaced_is_asked_anew(broken: Path) -> None:
    [build] = toolchain.installed()
    assert toolchain.tried_once(build).reason
    for name in ("ffmpeg", "ffprobe"):
        shutil.copy(getattr(builds.of_wheels()[1], name), broken / name)
    assert toolchain.tried_once(build).capabilities.version.startswith("n8.1")


def test_one_that_does_not_run_is_not_tried_again_at_each_question(
    broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [build] = toolchain.installed()
    started = Mock(wraps=sandbox.run)
    monkeypatch.setattr(sandbox, "run", started)
    for _ in range(5):
        assert toolchain.tried_once(build).reason
    assert started.call_count <= 2  # where a minute ends in between


def test_another_program_is_no_ffmpeg(settings: Settings, tmp_path: Path) -> None:
    for name in ("ffmpeg", "ffprobe"):
        (tmp_path / name).symlink_to("/bin/true")
    settings.FFMPEG_BUILD = str(tmp_path)
    [build] = toolchain.installed()
    assert toolchain.tried_once(build).reason
    checked = sandbox_check.check()
    assert not checked.report.allowed
    assert "folder: " in checked.reason


def test_one_that_is_gone_is_not_among_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundled_one, static = builds.of_wheels()
    gone = replace(bundled_one, ffmpeg=str(tmp_path / "ffmpeg"))
    monkeypatch.setattr(builds, "of_wheels", lambda: (gone, static))
    assert "bundled" not in names()
    assert toolchain.for_command(Command(("-i", "in/0.mp4", "o.mp4"))).build == static
    assert sandbox_check.check().report.allowed


@pytest.mark.parametrize("change", ["gone", "another"])
def test_a_receipt_is_written_though_the_program_has_changed(
    settings: Settings, tmp_path: Path, change: str
) -> None:
    """It names the program that ran, or none."""
    for name in ("ffmpeg", "ffprobe"):
        shutil.copy(getattr(builds.of_wheels()[1], name), tmp_path / name)
    settings.FFMPEG_BUILD = str(tmp_path)
    [tried] = toolchain.usable()
    (tmp_path / "ffmpeg").unlink()
    if change == "another":
        shutil.copy(tmp_path / "ffprobe", tmp_path / "ffmpeg")
    assert tried.to_json()["ffmpeg_sha256"] == ""
    assert tried.to_json()["version"].startswith("n8.1")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs FFmpeg as another user")
def test_one_below_a_folder_that_is_closed_to_its_user_runs(tmp_path: Path) -> None:
    """As where the project lies below /root; and it may do no more for that."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    static = toolchain.installed()[1]
    for name, path in (("ffmpeg", static.ffmpeg), ("ffprobe", static.ffprobe)):
        shutil.copy(path, closed / name)
    (closed / "secret.txt").write_text("secret")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    folder = tmp_path / "job"
    sandbox.prepare(folder)
    done = sandbox.run(str(closed / "ffmpeg"), ["-version"], folder=folder, limits=LIMITS)
    assert done.returncode == 0, done.stderr
    read = ["-v", "error", "-f", "data", "-i", str(closed / "secret.txt"), "-f", "null", "-"]
    done = sandbox.run(str(closed / "ffmpeg"), read, folder=folder, limits=LIMITS)
    assert "Permission denied" in done.stderr


def test_a_program_that_is_not_the_pinned_one_stops_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheels = bundled.wheels()
    assert wheels is not None
    another = replace(wheels, ffprobe=replace(wheels.ffprobe, sha256="0" * 64))
    with monkeypatch.context() as changed:
        changed.setattr(bundled, "wheels", lambda: another)
        builds.of_wheels.cache_clear()
        checked = sandbox_check.check()
    builds.of_wheels.cache_clear()
    assert not checked.report.allowed
    assert "ffprobe-linux" in checked.reason
    assert sandbox_check.check().report.allowed


def test_what_people_are_told() -> None:
    told = toolchain.told()
    assert [each["name"] for each in told] == names()
    assert told[0]["version"].startswith("n9.0")
    assert len(told[0]["ffmpeg_sha256"]) == 64
    assert told[0]["reason"] == ""
    assert "/" not in "".join(told[0].values())
