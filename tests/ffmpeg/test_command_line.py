"""Commands that are allowed, and what is written for them."""

from __future__ import annotations

import re
import shlex

import pytest

from media_jobs.ffmpeg.command_line.parser import CommandLine, parse
from media_jobs.ffmpeg.command_line.refusal import Refused

PATHS = {"in_1": "in/0.mp4", "in_2": "in/1.png"}


def read(command: str | list[str], **outputs: str) -> CommandLine:
    inputs = [alias for alias in PATHS if "{{" + alias in str(command) or alias == "in_1"]
    return parse(command, inputs, outputs or {"out_1": "mp4"})


def written(line: CommandLine) -> str:
    """As it would stand in a shell, with the aliases for the files."""
    parts = [word for each in line.options for word in each.argv(PATHS)]
    for each in line.inputs:
        parts += [*each.argv(PATHS), "-i", each.alias]
    for each in line.outputs:
        parts += [*each.argv(PATHS), each.alias]
    return shlex.join(parts)


def test_it_works() -> None:
    line = read("ffmpeg -y -ss 1 -i {{in_1}} -vf scale=320:-2 -c:v libx264 -crf 23 {{out_1}}")
    assert written(line) == ("-ss 1 -i in_1 -filter:v scale=w=320:h=-2 -c:v libx264 -crf 23 out_1")


LOGO = "[1:v]scale=64:-1[l];[0:v][l]overlay=W-w-8:8[v]"
TITLE = r"drawtext=text='5\\:30':x=(w-tw)/2:enable='between(t,1,3)'"
KEYFRAMES = "-force_key_frames 'expr:gte(t,n_forced*2)' -movflags +faststart"


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("-i {{in_1}} -c copy {{out_1}}", "-i in_1 -c copy out_1"),
        ("-i {{input}} -c copy {{output}}", "-i in_1 -c copy out_1"),
        ("-i '{{ in_1 }}' -c copy {{out_1}}", "-i in_1 -c copy out_1"),
        (r"-i \{\{in_1\}\} -c copy \{\{out_1\}\}", "-i in_1 -c copy out_1"),
        (
            "-i {{in_1}} -vcodec h264 -acodec mp3 {{out_1}}",
            "-i in_1 -c:v libx264 -c:a libmp3lame out_1",
        ),
        ("-i {{in_1}} -vn -b:a 192k -ar 44100 {{out_1}}", "-i in_1 -vn -b:a 192k -ar 44100 out_1"),
        ("-i {{in_1}} -vframes 1 -q:v 2 {{out_1}}", "-i in_1 -frames:v 1 -q:v 2 out_1"),
        ("-i {{in_1}} -vsync 2 {{out_1}}", "-i in_1 -fps_mode vfr out_1"),
        (
            "-loop 1 -framerate 25 -t 5 -i {{in_2}} -i {{in_1}} -shortest {{out_1}}",
            "-loop 1 -framerate 25 -t 5 -i in_2 -i in_1 -shortest out_1",
        ),
        (
            "-i {{in_1}} -metadata title='A: b/c' -metadata:s:a:0 language=eng {{out_1}}",
            "-i in_1 -metadata 'title=A: b/c' -metadata:s:a:0 language=eng out_1",
        ),
        (
            "-i {{in_1}} -map 0:v:0 -map 0:a? -x264-params keyint=48:ref=3 {{out_1}}",
            "-i in_1 -map 0:v:0 -map '0:a?' -x264-params keyint=48:ref=3 out_1",
        ),
        (f"-i {{{{in_1}}}} {KEYFRAMES} {{{{out_1}}}}", f"-i in_1 {KEYFRAMES} out_1"),
        (
            f"-i {{{{in_1}}}} -i {{{{in_2}}}} -lavfi '{LOGO}' -map '[v]' -map 0:a {{{{out_1}}}}",
            "-filter_complex '[1:v]scale=w=64:h=-1[l];[0:v][l]overlay=x=W-w-8:y=8[v]' "  # noqa: ISC004
            "-i in_1 -i in_2 -map '[v]' -map 0:a out_1",
        ),
        (
            f'-i {{{{in_1}}}} -vf "{TITLE}" {{{{out_1}}}}',
            r"-i in_1 -filter:v 'drawtext=text=5\\:30:x=(w-tw)/2:enable=between(t\,1\,3)' out_1",
        ),
        (
            "-i {{in_1}} -vf \"subtitles={{in_1}}:force_style='FontSize=20,Outline=1'\" {{out_1}}",
            r"-i in_1 -filter:v "  # noqa: ISC004
            r"'subtitles=filename=in/0.mp4:force_style=FontSize=20\,Outline=1' out_1",
        ),
        (
            "-i {{in_1}} -af 'volume=0.5, aresample=48000:async=1' {{out_1}}",
            "-i in_1 -filter:a volume=volume=0.5,aresample=sample_rate=48000:async=1 out_1",
        ),
        (
            "-i {{in_1}} -af 'pan=stereo|c0=c0|c1=c1' {{out_1}}",
            "-i in_1 -filter:a 'pan=args=stereo|c0=c0|c1=c1' out_1",
        ),
        (
            r'-i {{in_1}} -vf "select=eq(pict_type\,I),setpts=N/TB" {{out_1}}',
            r"-i in_1 -filter:v 'select=expr=eq(pict_type\,I),setpts=expr=N/TB' out_1",
        ),
    ],
)
def test_what_people_write(command: str, expected: str) -> None:
    line = read(command)
    assert written(line) == expected
    # What is written is allowed too, and stays as it is.
    again = re.sub(r"(?<![\w{/])(in_\d|out_\d)(?=\s|$)", r"{{\1}}", written(line))
    assert written(read(again.replace("in/0.mp4", "{{in_1}}"))) == written(line)


def test_several_outputs_each_have_their_options() -> None:
    line = read(
        "-i {{in_1}} -c:v libx264 -an {{film}} -vn -c:a libmp3lame {{sound}}",
        film="mp4",
        sound="mp3",
    )
    assert written(line) == "-i in_1 -c:v libx264 -an film -vn -c:a libmp3lame sound"


def test_a_list_is_taken_word_for_word() -> None:
    line = read(["-i", "{{in_1}}", "-metadata", 'comment=it\'s "$HOME" `x`', "{{out_1}}"])
    assert line.outputs[0].value("metadata") == 'comment=it\'s "$HOME" `x`'


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("-i {{in_1}} -attach x {{out_1}}", ["word 3, '-attach'", "aliases"]),
        ("-i /etc/passwd {{out_1}}", ["word 2, '/etc/passwd'", "{{in_1}}"]),
        ("-i {{in_1}} x.mp4", ["word 3, 'x.mp4'", "{{out_1}}"]),
        ("-i {{in_1}} -vf movie=x {{out_1}}", ["-vf", "movie", "[1:v]"]),
        ("-i {{in_1}} -vf scle=1:2 {{out_1}}", ["scle is not allowed; did you mean", "scale"]),
        (
            "-i {{in_1}} -vf scale=widht=1 {{out_1}}",
            ["scale has no option widht", "force_divisible"],
        ),
        ("-i {{in_1}} -crf high {{out_1}}", ["word 4, 'high'", "-crf", "such as 23"]),
        ("-crf 20 -i {{in_1}} {{out_1}}", ["word 1, '-crf'", "before an output"]),
        ("-i {{in_1}} {{out_1}} -crf 20", ["word 4, '-crf'", "put it before one"]),
        ("-i {{in_1}} -c:v x264 {{out_1}}", ["word 4, 'x264'", "libx264"]),
        ("-i {{in_1}} -x264-params stats=a {{out_1}}", ["'stats'", "keyint"]),
        ("-f lavfi -i {{in_1}} {{out_1}}", ["word 2, 'lavfi'", "leave -f out"]),
        ("-i {{in_1}} -f webm {{out_1}}", ["-f webm", ".mp4"]),
        ("-i {{in_1}} -pass 1 {{out_1}}", ["word 3, '-pass'", "two_pass"]),
        ("-i {{in_1}} -metadata title {{out_1}}", ["word 4, 'title'", "key=value"]),
        ("-i {{in_1}}", ["{{output}}"]),
        ("{{out_1}}", ["{{in_1}}", "does not occur"]),
        ("-i {{in_1}} -t {{out_1}}", ["word 3, '-t'"]),
        ("-i {{in_1}} -t 0 {{out_1}}", ["word 4, '0'", "above 0", "such as 5"]),
        ("-t 0.0000004 -i {{in_1}} {{out_1}}", ["word 2", "above 0"]),
        ("-i {{in_1}} -map 1:v {{out_1}}", ["-map 1:v", "1 inputs"]),
        ("-lavfi null -lavfi null -i {{in_1}} {{out_1}}", ["semicolon"]),
    ],
)
def test_a_refusal_says_where_and_what_would_work(command: str, says: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        read(command)
    assert [part for part in says if part not in refused.value.detail] == []


@pytest.mark.parametrize(
    ("command", "is_endless"),
    [
        ("-i {{in_1}} {{out_1}}", False),
        ("-stream_loop -1 -i {{in_1}} {{out_1}}", True),
        ("-stream_loop 3 -i {{in_1}} {{out_1}}", False),
        ("-stream_loop -1 -t 5 -i {{in_1}} {{out_1}}", False),
        ("-loop 1 -i {{in_1}} {{out_1}}", True),
        ("-i {{in_1}} -filter_complex color=red,format=gray {{out_1}}", True),
        ("-i {{in_1}} -filter_complex color=red:d=5 {{out_1}}", False),
        ("-i {{in_1}} -filter_complex color=red:d=-1 {{out_1}}", True),
        ("-i {{in_1}} -filter_complex sine=d=0 {{out_1}}", True),
        ("-i {{in_1}} -filter_complex sine=d=0.0000004 {{out_1}}", True),
        ("-i {{in_1}} -filter_complex sine=d=0.00001 {{out_1}}", True),
        ("-i {{in_1}} -filter_complex sine=d=0.0001 {{out_1}}", False),
        ("-i {{in_1}} -filter_complex sine=r=1:d=0.4 {{out_1}}", True),
        ("-i {{in_1}} -filter_complex sine=sample_rate=48000:d=0.4 {{out_1}}", False),
        ("-i {{in_1}} -filter_complex sine=r=1k:d=0.4 {{out_1}}", True),
        ("-i {{in_1}} -filter_complex sine=duration=5:d=0 {{out_1}}", True),
        ("-i {{in_1}} -filter_complex sine=d=0:duration=5 {{out_1}}", False),
        ("-i {{in_1}} -filter_complex anoisesrc=duration=5:d=0 {{out_1}}", True),
        ("-i {{in_1}} -filter_complex color=d=0.000001 {{out_1}}", False),
        ("-i {{in_1}} -filter_complex aevalsrc=0:s=²:d=0.4 {{out_1}}", True),
        ("-i {{in_1}} -filter_complex aevalsrc=0:s=9999999999:d=0.4 {{out_1}}", True),
        ("-i {{in_1}} -filter_complex sine=d=100.000 {{out_1}}", False),
        ("-i {{in_1}} -vf loop=3:1 {{out_1}}", False),
        ("-i {{in_1}} -vf loop=-1:1 {{out_1}}", True),
        ("-i {{in_1}} -vf tpad=stop=-1 {{out_1}}", True),
        ("-i {{in_1}} -af apad {{out_1}}", True),
        ("-i {{in_1}} -af apad=whole_dur=9 {{out_1}}", False),
    ],
)
def test_what_may_go_on_for_ever_is_known(command: str, is_endless: bool) -> None:  # noqa: FBT001
    assert read(command).is_endless() is is_endless


@pytest.mark.parametrize(
    ("options", "length_s"),
    [("", None), ("-t 5", 5), ("-t 1:30.5", 90.5), ("-ss 2 -to 5", 3), ("-t 500ms", 0.5)],
)
def test_the_length_of_an_output(options: str, length_s: float | None) -> None:
    line = read(f"-i {{{{in_1}}}} {options} {{{{out_1}}}}")
    assert line.outputs[0].length_s == length_s


def test_of_an_option_that_is_given_again_the_last_counts() -> None:
    """As FFmpeg has it; what adds up stays."""
    line = read(
        "-i {{in_1}} -crf 20 -b:a:0 64k -map 0 -c:v libx264 -map 0:v -crf 30 -b:a:1 96k "
        "-movflags +faststart -movflags +frag_keyframe -metadata a=b -metadata a=c {{out_1}}"
    )
    (output,) = line.outputs
    assert shlex.join(output.without_overridden().argv(PATHS)) == (
        "-b:a:0 64k -map 0 -c:v libx264 -map 0:v -crf 30 -b:a:1 96k "
        "-movflags +faststart -movflags +frag_keyframe -metadata a=b -metadata a=c"
    )


@pytest.mark.parametrize(
    "filters",
    ["-vf hflip -vf vflip", "-af anull -filter:a volume=2", "-filter:1 null -filter:1 null"],
)
def test_a_second_graph_for_the_same_streams_is_refused(filters: str) -> None:
    """FFmpeg would leave the first one out."""
    with pytest.raises(Refused, match="it is there already; join filters with a comma"):
        read(f"-i {{{{in_1}}}} {filters} {{{{out_1}}}}")


def test_each_output_has_graphs_of_its_own() -> None:
    command = "-i {{in_1}} -vf hflip -af anull {{a}} -vf vflip {{b}}"
    assert "-filter:v vflip b" in written(read(command, a="mp4", b="mp4"))
