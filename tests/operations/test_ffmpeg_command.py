"""Commands of the user's own, run for real; most that are refused are in tests/attacks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from media_jobs import sandbox
from media_jobs.ffmpeg.capabilities import Capabilities, Font
from media_jobs.operations.core import (
    InvalidParams,
    InvalidParamsGroup,
    Media,
    Source,
    media_refs,
    parse,
)
from tests.harness.measure import grey_pixels, probe
from tests.harness.media import FFMPEG, Samples
from tests.harness.programs import FFMPEG_PATH
from tests.operations.workshop import Done, declared, run, sources_of

LIMITS = sandbox.Limits(wall_s=60)
FILM = {"input_files/in_1": "film"}


def made(
    media: Samples, folder: Path, command: Any, outputs: Any, samples: dict[str, str] | None = None
) -> Done:
    given = samples or FILM
    return run(media, folder, "ffmpeg", given, ffmpeg_command=command, output_files=outputs)


def planned(media: Samples, command: str, sample: str = "film", **means: Any) -> None:
    op = declared(
        "ffmpeg",
        {"input_files/in_1": sample},
        {"ffmpeg_command": command, "output_files": "x.mp4"},
    )
    sources = sources_of(op, {"input_files/in_1": sample}, media)
    op.command(Media(sources, **means))


def refusal(media: Samples, command: str, sample: str = "film", **means: Any) -> InvalidParams:
    with pytest.raises(InvalidParams) as refused:
        planned(media, command, sample, **means)
    assert refused.value.field == "ffmpeg_command"
    return refused.value


def test_it_works(media: Samples, tmp_path: Path) -> None:
    command = "ffmpeg -y -ss 1 -i {{in_1}} -t 2 -vf scale=160:90 -c:v libx264 -an {{out_1}}"
    done = made(media, tmp_path, command, {"out_1": "My film.mkv"})
    video = done.info.video
    assert video is not None
    assert (video.codec, video.width, video.height) == ("h264", 160, 90)
    assert done.info.duration_s == pytest.approx(2, abs=0.05)
    assert not done.info.has_audio
    (output,) = done.outputs
    assert (output.name, output.role, output.path) == ("My film.mkv", "out_1", "out/0.mkv")
    assert done.commands[0].duration_s == 2


def test_one_file_needs_no_alias_of_its_own(media: Samples, tmp_path: Path) -> None:
    done = made(media, tmp_path, "-i {{input}} -vn -c:a flac {{output}}", "sound.flac")
    assert done.info.audio[0].codec == "flac"


def test_every_output_has_a_name_and_an_alias(media: Samples, tmp_path: Path) -> None:
    command = (
        "-i {{in_1}} -map 0:v -c copy {{film}} -map 0:a -c:a libopus {{sound}} "
        "-ss 1 -vf scale=64:-2 {{still}}"
    )
    names = {"film": "film.mp4", "sound": "sound.opus", "still": "still.png"}
    done = made(media, tmp_path, command, names)
    assert [(each.role, each.name) for each in done.outputs] == list(names.items())
    film, sound, still = (probe(path) for path in done.paths)
    assert film.video is not None
    assert film.video.codec == "h264"
    assert sound.audio[0].codec == "opus"
    assert still.video is not None
    assert still.video.width == 64


def test_inputs_count_as_the_command_names_them(media: Samples, tmp_path: Path) -> None:
    samples = {"input_files/a": "red", "input_files/b": "second_film"}
    command = "-i {{b}} -i {{a}} -map 1:v -map 0:a -c copy -shortest {{out_1}}"
    done = made(media, tmp_path, command, "x.mp4", samples)
    assert done.info.video is not None
    assert done.info.video.width == 320
    assert done.info.audio[0].sample_rate == 44100


def test_a_picture_can_be_repeated(media: Samples, tmp_path: Path) -> None:
    samples = {"input_files/photo": "photo", "input_files/music": "quiet_music"}
    command = (
        "-loop 1 -framerate 10 -i {{photo}} -i {{music}} -t 2 -vf scale=320:240,format=yuv420p "
        "-c:v libx264 -c:a aac {{out_1}}"
    )
    info = made(media, tmp_path, command, "x.mp4", samples).info
    assert info.duration_s == pytest.approx(2, abs=0.1)
    assert info.video is not None
    assert info.video.fps == 10
    assert info.has_audio


def test_a_text_is_drawn_as_it_is(media: Samples, tmp_path: Path) -> None:
    text = "drawtext=text='5\\:30, [100%]':expansion=none:fontsize=40:fontcolor=white:x=10:y=10"
    command = ["-i", "{{in_1}}", "-vf", f"drawbox=t=fill:c=black,{text}", "-t", "0.2", "{{out_1}}"]
    done = made(media, tmp_path, command, "x.mkv")
    assert max(grey_pixels(done.path, crop="300:60:0:0")) > 100
    assert max(grey_pixels(done.path, crop="300:60:0:200")) < 20


def test_a_filter_reads_the_subtitles_of_an_input(media: Samples, tmp_path: Path) -> None:
    film, words = tmp_path / "with.mkv", tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:04,000\nHELLO\n")
    subprocess.run(
        [*FFMPEG, "-i", media.path("grey"), "-i", words, "-c:v", "copy", "-c:s", "srt", film],
        check=True,
    )
    op = parse(
        "ffmpeg",
        {
            "input_files": ["file_1", "file_2"],
            "output_files": "x.mkv",
            "ffmpeg_command": "-i {{in_1}} -vf subtitles={{in_2}} -c:v ffv1 {{out_1}}",
        },
    )
    sandbox.prepare(tmp_path / "job")
    sources = {}
    for place, path in enumerate((media.path("grey"), film)):
        role = f"input_files/in_{place + 1}"
        sources[role] = Source(f"in/{place}.mkv", probe(path), path.name, role)
        shutil.copy(path, tmp_path / "job" / sources[role].path)
        (tmp_path / "job" / sources[role].path).chmod(0o644)
    ended = sandbox.run(
        FFMPEG_PATH, op.command(Media(sources)).args, folder=tmp_path / "job", limits=LIMITS
    )
    assert ended.returncode == 0, ended.stderr
    below = grey_pixels(tmp_path / "job/out/0.mkv", crop="iw:ih/3:0:ih*2/3")
    assert max(below) > min(below) + 40


def test_too_many_filters(media: Samples) -> None:
    command = "-i {{input}} -vf " + ",".join(["null"] * 11) + " {{output}}"
    assert refusal(media, command).code == "too_many"
    planned(media, command, max_filters=11)


@pytest.mark.parametrize(
    ("command", "sample"),
    [
        ("-stream_loop -1 -i {{input}} {{output}}", "film"),
        ("-loop 1 -i {{input}} {{output}}", "photo"),
        ("-i {{input}} -lavfi color=red {{output}}", "film"),
        ("-i {{input}} -af apad {{output}}", "film"),
        ("-i {{input}} -vf loop=-1:1 {{output}}", "film"),
    ],
)
def test_an_end_is_asked_for_where_the_settings_want_it(
    media: Samples, command: str, sample: str
) -> None:
    told = refusal(media, command, sample, needs_duration_limit=True)
    assert told.code == "duration_required"
    assert "-t" in told.detail
    planned(media, command, sample)
    for limit in ("-t 5", "-to 0:05"):
        bounded = command.replace("{{output}}", f"{limit} {{{{output}}}}")
        planned(media, bounded, sample, needs_duration_limit=True)


def test_what_ends_by_itself_needs_no_limit(media: Samples) -> None:
    planned(media, "-i {{input}} {{output}}", needs_duration_limit=True)
    planned(media, "-i {{input}} {{output}}", "photo", needs_duration_limit=True)


def test_what_is_not_installed_is_told(media: Samples) -> None:
    bare = Capabilities(encoders=frozenset({"aac"}), filters=frozenset({"null"}))
    told = refusal(media, "-i {{input}} -vf hflip -c:v libx264 {{output}}", capabilities=bare)
    assert (told.code, told.detail) == (
        "unavailable",
        "this FFmpeg has no filter hflip, encoder libx264",
    )


def test_a_missing_font_is_told(media: Samples) -> None:
    known = Capabilities(fonts=(Font("DejaVu Sans", "/x.ttf"),))
    command = "-i {{input}} -vf \"drawtext=text=a:font='%s'\" {{output}}"
    told = refusal(media, command % "Comic Sans", capabilities=known)
    assert "DejaVu Sans" in told.detail
    planned(media, command % "DejaVu Sans\\:bold", capabilities=known)


def test_a_file_is_read_as_what_it_is(media: Samples) -> None:
    told = refusal(media, "-f matroska -i {{input}} {{output}}")
    assert told.detail == "-f matroska: {{in_1}} is mov; leave -f out"
    planned(media, "-f mp4 -i {{input}} {{output}}")


def test_filters_read_containers_only(media: Samples) -> None:
    told = refusal(media, "-i {{input}} -lavfi subtitles={{input}} {{output}}", "quiet_music")
    assert told.code == "unsupported"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"input_files": {}}, "input_files"),
        ({"input_files": []}, "input_files"),
        ({"input_files": {"in_1": "ftp://example.org/x"}}, "input_files/in_1"),
        ({"input_files": {"in_1": 5}}, "input_files/in_1"),
        ({"output_files": {}}, "output_files"),
        ({"output_files": {"out_1": "x.exe"}}, "output_files/out_1"),
        ({"output_files": 5}, "output_files"),
        ({"ffmpeg_command": ""}, "ffmpeg_command"),
        ({"ffmpeg_command": []}, "ffmpeg_command"),
        ({"ffmpeg_command": {"a": "b"}}, "ffmpeg_command"),
        ({"ffmpeg_command": ["-i", "{{in_1}}", 5]}, "ffmpeg_command/2"),
        ({"ffmpeg_command": ["-i", "{{in_1}}", "/etc/x"]}, "ffmpeg_command/2"),
        ({"command": "-i {{in_1}} {{out_1}}"}, "command"),
        ({"vcpu_count": 8}, "vcpu_count"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], field: str) -> None:
    good = {
        "input_files": {"in_1": "https://example.org/a.mp4"},
        "output_files": {"out_1": "x.mp4"},
        "ffmpeg_command": "-i {{in_1}} {{out_1}}",
    }
    parse("ffmpeg", good)
    with pytest.raises(InvalidParamsGroup) as refused:
        parse("ffmpeg", good | body)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize(
    "body",
    [
        {
            "input_files": {"in_1": "https://example.org/a.mp4"},
            "output_files": {"out_1": "x.mp4"},
            "ffmpeg_command": "-i {{in_1}} -c copy {{out_1}}",
        },
        {
            "input_url": "https://example.org/a.mp4",
            "output": "x.mp4",
            "command": "-i {{input}} -c copy {{output}}",
        },
        {
            "inputs": ["https://example.org/a.mp4"],
            "outputs": ["x.mp4"],
            "args": ["-i", "{{in_1}}", "-c", "copy", "{{out_1}}"],
        },
        {
            "input": {"url": "https://example.org/a.mp4"},
            "output_files": {"out_1": "x.mp4"},
            "command": r"-i \{\{in_1\}\} -c copy \{\{out_1\}\}",
        },
    ],
)
def test_bodies_that_mean_the_same(body: dict[str, Any], media: Samples) -> None:
    op = parse("run-ffmpeg-command", body)
    (ref,) = media_refs(op)
    assert (ref.role, ref.ref.url) == ("input_files/in_1", "https://example.org/a.mp4")
    sources = sources_of(op, FILM, media)
    written = ("-i", "in/0.mp4", "-c", "copy", "-f", "mp4", "out/0.mp4")
    assert op.command(Media(sources)).args[-7:] == written
