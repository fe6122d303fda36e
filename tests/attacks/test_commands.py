"""Commands that would read, write, connect, load or give orders: each is refused at submission.

And that the refusal says which word it is about, and what would work.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.roles import Role
from media_jobs.ffmpeg.filters import escape
from media_jobs.models import Job
from media_jobs.operations.core import InvalidParamsGroup, parse
from tests.api.sending import code_of, pointers, send
from tests.attacks.ground import Ground
from tests.factories import ApiKeyFactory, TenantFactory
from tests.harness.media import Samples

SECRET = "/etc/passwd"
URL = "https://example.org/a.mp4"
GRAPH = "-i {{in_1}} -vf "


def refused(name: str, command: str | list[str]) -> Any:
    return pytest.param(command, id=name)


ATTACKS = [
    # Files read
    refused("input by path", f"-i {SECRET} {{{{out_1}}}}"),
    refused("input by relative path", "-i ../other/private.mp4 {{out_1}}"),
    refused("input by its own scratch name", "-i in/0.mp4 {{out_1}}"),
    refused("input by file protocol", f"-i file:{SECRET} {{{{out_1}}}}"),
    refused("second input by path", f"-i {{{{in_1}}}} -i {SECRET} {{{{out_1}}}}"),
    refused("input by proc", "-i /proc/self/environ {{out_1}}"),
    refused("input by proc of another", "-i /proc/1/environ {{out_1}}"),
    refused("input by descriptor", "-i /dev/fd/7 {{out_1}}"),
    refused("input by device", "-i /dev/zero {{out_1}}"),
    refused("input from standard input", "-i - {{out_1}}"),
    refused("input by pipe", "-i pipe:7 {{out_1}}"),
    refused("input by fd", "-i fd: {{out_1}}"),
    refused("input by concat", f"-i concat:{SECRET}|{SECRET} {{{{out_1}}}}"),
    refused("input by subfile", f"-i subfile,,start,0,end,0,,:{SECRET} {{{{out_1}}}}"),
    refused("input by crypto", f"-i crypto:{SECRET} {{{{out_1}}}}"),
    refused("input by data", "-i data:text/plain,ffconcat {{out_1}}"),
    refused("input by cache", f"-i cache:{SECRET} {{{{out_1}}}}"),
    refused("input by pattern", "-i frame%03d.png {{out_1}}"),
    refused("input by glob", "-pattern_type glob -i '*.mp4' {{out_1}}"),
    refused("alias inside a path", "-i /tmp/{{in_1}} {{out_1}}"),
    refused("alias with a protocol", "-i concat:{{in_1}} {{out_1}}"),
    refused("alias of an output read", "-i {{out_1}} {{out_1}}"),
    refused("unknown alias", "-i {{in_9}} {{out_1}}"),
    refused("alias with traversal", "-i {{../in_1}} {{out_1}}"),
    # Addresses
    refused("input by http", "-i http://127.0.0.1/ {{out_1}}"),
    refused("input by tcp", "-i tcp://127.0.0.1:25 {{out_1}}"),
    refused("input by udp", "-i udp://127.0.0.1:53 {{out_1}}"),
    refused("input by unix socket", "-i unix:/run/s.sock {{out_1}}"),
    refused("input by rtsp", "-i rtsp://127.0.0.1/ {{out_1}}"),
    refused("output by http", "-i {{in_1}} -f mpegts http://127.0.0.1/put"),
    refused("output by tcp", "-i {{in_1}} -f mpegts tcp://127.0.0.1:25"),
    refused("output by rtmp", "-i {{in_1}} -f flv rtmp://127.0.0.1/live"),
    refused("output by ftp", "-i {{in_1}} ftp://127.0.0.1/x.mp4"),
    refused("output by srt", "-i {{in_1}} -f mpegts srt://127.0.0.1:9"),
    refused("protocols opened again", "-protocol_whitelist file,http,tcp -i {{in_1}} {{out_1}}"),
    refused("demuxers opened again", "-format_whitelist hls -i {{in_1}} {{out_1}}"),
    refused("sdp file", "-i {{in_1}} -sdp_file /tmp/x {{out_1}}"),
    # Files written
    refused("output by path", "-i {{in_1}} /tmp/x.mp4"),
    refused("output by relative path", "-i {{in_1}} ../x.mp4"),
    refused("output beside the alias", "-i {{in_1}} {{out_1}} /tmp/x.mp4"),
    refused("output to standard output", "-i {{in_1}} -f mp4 -"),
    refused("output by pipe", "-i {{in_1}} -f mpegts pipe:2"),
    refused("output to a null muxer", "-i {{in_1}} -f null -"),
    refused("output over an input", "-i {{in_1}} {{in_1}}"),
    refused("output twice", "-i {{in_1}} {{out_1}} {{out_1}}"),
    refused("tee", "-i {{in_1}} -map 0 -f tee {{out_1}}"),
    refused("segments", "-i {{in_1}} -f segment {{out_1}}"),
    refused("hls", "-i {{in_1}} -f hls -hls_segment_filename /tmp/x%d {{out_1}}"),
    refused("dash", "-i {{in_1}} -f dash {{out_1}}"),
    refused("image series", "-i {{in_1}} -f image2 {{out_1}}"),
    refused("md5 muxer", "-i {{in_1}} -f md5 {{out_1}}"),
    refused("data muxer", "-i {{in_1}} -f data {{out_1}}"),
    refused("ffmetadata", "-i {{in_1}} -f ffmetadata {{out_1}}"),
    refused("passlogfile", "-i {{in_1}} -pass 1 -passlogfile /tmp/x {{out_1}}"),
    refused("report", "-report -i {{in_1}} {{out_1}}"),
    refused("progress to a file", "-progress /tmp/x -i {{in_1}} {{out_1}}"),
    refused("progress to an address", "-progress http://127.0.0.1/ -i {{in_1}} {{out_1}}"),
    refused("vstats", "-i {{in_1}} -vstats_file /tmp/x {{out_1}}"),
    refused("dump attachment", "-dump_attachment:t '' -i {{in_1}} {{out_1}}"),
    refused("attach", f"-i {{{{in_1}}}} -attach {SECRET} {{{{out_1}}}}"),
    refused(
        "x264 statistics", "-i {{in_1}} -c:v libx264 -x264-params pass=1:stats=/tmp/x {{out_1}}"
    ),
    refused("x264opts statistics", "-i {{in_1}} -c:v libx264 -x264opts stats=/tmp/x {{out_1}}"),
    refused("x264 dump", "-i {{in_1}} -x264-params dump-yuv=/tmp/x {{out_1}}"),
    refused("x264 matrix file", f"-i {{{{in_1}}}} -x264-params cqmfile={SECRET} {{{{out_1}}}}"),
    refused("x264 matrix by a word", "-i {{in_1}} -x264-params cqm=secret {{out_1}}"),
    refused("x264 qp file", f"-i {{{{in_1}}}} -x264opts qpfile={SECRET} {{{{out_1}}}}"),
    refused("x264 value with a path", "-i {{in_1}} -x264-params level=/tmp/x {{out_1}}"),
    refused("x265 csv", "-i {{in_1}} -c:v libx265 -x265-params csv=/tmp/x {{out_1}}"),
    refused("x265 analysis", "-i {{in_1}} -x265-params analysis-save=/tmp/x {{out_1}}"),
    refused("x265 recon", "-i {{in_1}} -x265-params recon=/tmp/x {{out_1}}"),
    refused("x265 zones", f"-i {{{{in_1}}}} -x265-params zonefile={SECRET} {{{{out_1}}}}"),
    refused(
        "x265 scaling list", f"-i {{{{in_1}}}} -x265-params scaling-list={SECRET} {{{{out_1}}}}"
    ),
    refused("svt statistics", "-i {{in_1}} -svtav1-params stats=/tmp/x {{out_1}}"),
    refused(
        "aom film grain table",
        f"-i {{{{in_1}}}} -aom-params film-grain-table={SECRET} {{{{out_1}}}}",
    ),
    # Options that read files
    refused("filter script", "-i {{in_1}} -filter_script:v /tmp/x {{out_1}}"),
    refused("complex script", "-i {{in_1}} -filter_complex_script /tmp/x {{out_1}}"),
    refused("value from a file", "-i {{in_1}} -/filter:v /tmp/x {{out_1}}"),
    refused("complex value from a file", "-i {{in_1}} -/filter_complex /tmp/x {{out_1}}"),
    refused("preset file", "-i {{in_1}} -fpre /tmp/x {{out_1}}"),
    refused("video preset file", "-i {{in_1}} -vpre ../../x {{out_1}}"),
    refused("preset by path", "-i {{in_1}} -preset /tmp/x {{out_1}}"),
    refused("concat demuxer", "-f concat -safe 0 -i {{in_1}} {{out_1}}"),
    refused("hls demuxer", "-f hls -i {{in_1}} {{out_1}}"),
    refused("lavfi demuxer", "-f lavfi -i movie=/etc/passwd {{out_1}}"),
    refused("lavfi demuxer, two blanks", "-f  lavfi -i {{in_1}} {{out_1}}"),
    refused("text-art demuxer", "-f tty -i {{in_1}} {{out_1}}"),
    refused("screen grabber", "-f x11grab -i {{in_1}} {{out_1}}"),
    refused("data references", "-enable_drefs 1 -i {{in_1}} {{out_1}}"),
    refused("hardware device", "-init_hw_device vaapi=x:/dev/dri/renderD128 -i {{in_1}} {{out_1}}"),
    # Filters
    refused("movie", f"{GRAPH}movie={SECRET}[a];[in][a]overlay {{{{out_1}}}}"),
    refused("movie, escaped", f"{GRAPH}'mo\\vie={SECRET}' {{{{out_1}}}}"),
    refused("movie, quoted", GRAPH + "\"'movie'=/etc/passwd\" {{out_1}}"),
    refused("movie with a name", f"{GRAPH}movie@x={SECRET} {{{{out_1}}}}"),
    refused("movie after blanks", f"{GRAPH}'null ,  movie={SECRET}' {{{{out_1}}}}"),
    refused("movie behind a label", f"{GRAPH}'[in]null[a];[a]movie={SECRET}' {{{{out_1}}}}"),
    refused("amovie", f"-i {{{{in_1}}}} -af amovie={SECRET} {{{{out_1}}}}"),
    refused("movie in a complex graph", f"-i {{{{in_1}}}} -lavfi movie={SECRET} {{{{out_1}}}}"),
    refused("textfile", f"{GRAPH}drawtext=textfile={SECRET} {{{{out_1}}}}"),
    refused("textfile by its place", f"{GRAPH}drawtext=::{SECRET} {{{{out_1}}}}"),
    refused("textfile after a text", f"{GRAPH}drawtext=text=a:textfile={SECRET} {{{{out_1}}}}"),
    refused("textfile, blanks around", f"{GRAPH}'drawtext= textfile = {SECRET}' {{{{out_1}}}}"),
    refused("option from a file", f"{GRAPH}drawtext=/text={SECRET} {{{{out_1}}}}"),
    refused("fontfile", f"{GRAPH}drawtext=fontfile={SECRET}:text=a {{{{out_1}}}}"),
    refused("font that asks for a file", GRAPH + "drawtext=text=a:font='x\\:file=/x' {{out_1}}"),
    refused("charset", GRAPH + "subtitles={{in_1}}:charenc=../../x {{out_1}}"),
    refused("fontfile by its place", f"{GRAPH}drawtext={SECRET}:a {{{{out_1}}}}"),
    refused("subtitles by path", f"{GRAPH}subtitles={SECRET} {{{{out_1}}}}"),
    refused("subtitles by short name", f"{GRAPH}subtitles=f={SECRET} {{{{out_1}}}}"),
    refused("subtitles of an output", GRAPH + "subtitles={{out_1}} {{out_1}}"),
    refused("subtitles, fonts", GRAPH + "subtitles={{in_1}}:fontsdir=/tmp {{out_1}}"),
    refused("ass", f"{GRAPH}ass={SECRET} {{{{out_1}}}}"),
    refused("lut3d", f"{GRAPH}lut3d={SECRET} {{{{out_1}}}}"),
    refused("removelogo", f"{GRAPH}removelogo={SECRET} {{{{out_1}}}}"),
    refused("curves from a file", f"{GRAPH}curves=psfile={SECRET} {{{{out_1}}}}"),
    refused("curves to a file", f"{GRAPH}curves=plot=/tmp/x {{{{out_1}}}}"),
    refused("palette's tree to a file", f"{GRAPH}paletteuse=debug_kdtree=/tmp/x {{{{out_1}}}}"),
    refused("metadata to a file", f"{GRAPH}metadata=print:file=/tmp/x {{{{out_1}}}}"),
    refused("metadata by its place", f"{GRAPH}metadata=print:::::/tmp/x {{{{out_1}}}}"),
    refused("psnr to a file", f"{GRAPH}psnr=stats_file=/tmp/x {{{{out_1}}}}"),
    refused("psnr, short", f"{GRAPH}psnr=f=/tmp/x {{{{out_1}}}}"),
    refused("ssim by its place", f"{GRAPH}ssim=/tmp/x {{{{out_1}}}}"),
    refused("vmaf log", f"{GRAPH}libvmaf=log_path=/tmp/x {{{{out_1}}}}"),
    refused("deshake log", f"{GRAPH}deshake=filename=/tmp/x {{{{out_1}}}}"),
    refused("stabiliser's file", f"{GRAPH}vidstabdetect=result=/tmp/x {{{{out_1}}}}"),
    refused("signature", f"{GRAPH}signature=filename=/tmp/x {{{{out_1}}}}"),
    refused("equalizer's dump", "-i {{in_1}} -af firequalizer=dumpfile=/tmp/x {{out_1}}"),
    refused("life", f"-i {{{{in_1}}}} -filter_complex life=f={SECRET} {{{{out_1}}}}"),
    refused("orders", GRAPH + "sendcmd=c='0.0 drawtext reinit textfile=/x' {{out_1}}"),
    refused("orders from a file", f"{GRAPH}sendcmd=f={SECRET} {{{{out_1}}}}"),
    refused("orders over a socket", GRAPH + "zmq {{out_1}}"),
    refused("orders to sound over a socket", "-i {{in_1}} -af azmq {{out_1}}"),
    refused("frei0r", GRAPH + "frei0r=/tmp/x.so {{out_1}}"),
    refused("ladspa", "-i {{in_1}} -af ladspa=file=/tmp/x.so {{out_1}}"),
    refused("lv2", "-i {{in_1}} -af lv2=p=http\\://x {{out_1}}"),
    refused("model", "-i {{in_1}} -af arnndn=m=/tmp/x {{out_1}}"),
    refused("neural network", GRAPH + "dnn_processing=model=/tmp/x {{out_1}}"),
    refused(
        "speech of a file", f"-i {{{{in_1}}}} -filter_complex flite=textfile={SECRET} {{{{out_1}}}}"
    ),
    refused("graph with a quote left open", GRAPH + '"drawtext=text=\'a" {{out_1}}'),
    refused("graph behind the graph", GRAPH + "'null]movie=/etc/passwd' {{out_1}}"),
    # Words that are no plain words
    refused("shell", "-i {{in_1}} {{out_1}}; cat /etc/passwd"),
    refused("shell, substitution", "-i $(cat /etc/passwd) {{out_1}}"),
    refused("shell, pipe", "-i {{in_1}} {{out_1}} | sh"),
    refused("another program", "sh -c id"),
    refused("line break before an option", "-i {{in_1}}\n-attach /etc/passwd {{out_1}}"),
    refused("control character", ["-i", "{{in_1}}", "-metadata", "title=a\x1bb", "{{out_1}}"]),
    refused("null byte", ["-i", "{{in_1}}", "-metadata", "title=a\0b", "{{out_1}}"]),
    refused("lone surrogate", ["-i", "{{in_1}}", "-metadata", "title=\ud800", "{{out_1}}"]),
    refused("full-width hyphen", "\uff0dattach /etc/passwd -i {{in_1}} {{out_1}}"),
    refused("full-width solidus", "-i \uff0fetc\uff0fpasswd {{out_1}}"),
    refused("full-width digits", "-i {{in_1}} -t \uff15 {{out_1}}"),
    refused("option in the list as one word", ["-i {{in_1}}", "{{out_1}}"]),
    refused("value with an option inside", ["-crf 23 -attach /x", "-i", "{{in_1}}", "{{out_1}}"]),
    refused("an option without its value", "-i {{in_1}} {{out_1}} -crf"),
    refused("an option behind the last file", "-i {{in_1}} {{out_1}} -crf 23"),
    refused("too many inputs", "-i {{in_1}} " * 51 + "{{out_1}}"),
    refused("no output", "-i {{in_1}}"),
    refused("nothing", ""),
    refused("an open quote", "-i {{in_1}} -metadata title='a {{out_1}}"),
    refused("too long", "-i {{in_1}} " + "-y " * 10_000 + "{{out_1}}"),
    refused("too many words", ["-y"] * 600),
    # Codecs, numbers, names
    refused("encoder that is none", "-i {{in_1}} -c:v ../x {{out_1}}"),
    refused("encoder of a device", "-i {{in_1}} -c:v h264_vaapi {{out_1}}"),
    refused("decoder", "-c:v h264 -i {{in_1}} {{out_1}}"),
    refused("bitstream filter with options", "-i {{in_1}} -bsf:v trace_headers=x=/tmp {{out_1}}"),
    refused("number that is a path", "-i {{in_1}} -crf /etc/passwd {{out_1}}"),
    refused("size that is a path", "-i {{in_1}} -s /etc/passwd {{out_1}}"),
    refused("time that is endless", "-t 99999999 -i {{in_1}} {{out_1}}"),
    refused("stream that is a path", "-i {{in_1}} -map /etc/passwd {{out_1}}"),
    refused("stream of no input", "-i {{in_1}} -map 7:v {{out_1}}"),
    refused("specifier with an option", "-i {{in_1}} '-c:v -attach' copy {{out_1}}"),
    refused("rate control by text", "-i {{in_1}} -rc_eq 'while(1,1)' {{out_1}}"),
]


def body(command: str | list[str], **other: Any) -> dict[str, Any]:
    return {
        "input_files": {"in_1": URL},
        "output_files": {"out_1": "x.mp4"},
        "ffmpeg_command": command,
    } | other


@pytest.mark.parametrize("command", ATTACKS)
def test_it_is_refused(command: str | list[str]) -> None:
    with pytest.raises(InvalidParamsGroup) as problem:
        parse("ffmpeg", body(command))
    (error,) = problem.value.errors
    assert error.field.split("/")[0] == "ffmpeg_command"
    assert len(error.detail) > 10
    assert error.detail.isprintable()


NAMES = [
    refused("absolute", "/home/x.mp4"),
    refused("traversal", "../x.mp4"),
    refused("backslash", "..\\x.mp4"),
    refused("hidden", ".mp4"),
    refused("no ending", "mp4"),
    refused("list of parts", "x.m3u8"),
    refused("script", "x.sh"),
    refused("null byte", "x\0.mp4"),
    refused("line break", "x\n.mp4"),
    refused("right-to-left", "x\u202e4pm.mp4"),
    refused("address", "http://127.0.0.1/x.mp4"),
    refused("double ending", "x.mp4.exe"),
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_outputs_are_plain(name: str) -> None:
    with pytest.raises(InvalidParamsGroup) as problem:
        parse("ffmpeg", body("-i {{in_1}} {{out_1}}", output_files={"out_1": name}))
    assert [error.field for error in problem.value.errors] == ["output_files/out_1"]


@pytest.mark.parametrize(
    "alias", ["../x", "/etc/x", "a b", "", "a" * 40, "1", "in-1", "url", "file"]
)
@pytest.mark.parametrize("field", ["input_files", "output_files"])
def test_aliases_are_words(field: str, alias: str) -> None:
    files = {alias: "x.mp4" if field == "output_files" else URL, "b": "x.mp4"}
    with pytest.raises(InvalidParamsGroup) as problem:
        parse("ffmpeg", body("-i {{in_1}} {{out_1}}", **{field: files}))
    assert {error.field.split("/")[0] for error in problem.value.errors} == {field}


@pytest.mark.django_db
def test_all_of_them_are_refused_by_the_api_too() -> None:
    client = client_with(Role.ADMIN)
    for attack in ATTACKS:
        (command,) = attack.values
        asked = body(command)
        answer = send(client, "/v1/run-ffmpeg-command", asked)
        assert answer.status_code in {400, 422}, (attack.id, answer.content)
        if answer.status_code == 422:
            assert [each.split("/")[1] for each in pointers(answer)] == ["ffmpeg_command"]
    assert not Job.objects.exists()


@pytest.mark.django_db
def test_a_word_of_a_list_is_pointed_at() -> None:
    words = ["-i", "{{in_1}}", "-attach", "/etc/passwd", "{{out_1}}"]
    answer = send(client_with(Role.ADMIN), "/v1/run-ffmpeg-command", body(words))
    assert pointers(answer) == ["/ffmpeg_command/2"]
    detail = answer.json()["errors"][0]["detail"]
    assert "'-attach'" in detail
    assert "aliases" in detail


@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.OPERATOR, Role.VIEWER, Role.WEBHOOK_ONLY])
@pytest.mark.parametrize("path", ["/v1/run-ffmpeg-command", "/v1/jobs"])
def test_it_takes_its_own_scope(role: Role, path: str) -> None:
    asked = body("-i {{in_1}} {{out_1}}")
    if path == "/v1/jobs":
        asked = {"operation": "run-ffmpeg-command", "params": asked}
    assert code_of(send(client_with(role), path, asked), 403) == "forbidden"
    assert not Job.objects.exists()


def test_what_only_looks_like_an_attack_is_done(ground: Ground, media: Samples) -> None:
    """By real workers; the ground sees to it that no canary was touched. And then the attacks."""
    commander = ground.watch(ground.site.customer("commander", "--role", Role.ADMIN))
    text = f"{ground.canaries.folder}/private.txt,movie={SECRET};[x]:textfile={SECRET}"
    words = [
        *("-i", "{{in_1}}", "-metadata", f"title=-i {SECRET} -attach {SECRET}", "-t", "0.5"),
        *("-vf", f"drawtext=expansion=none:text={escape(text)},scale=160:-2"),
        *("-c:v", "libx264", "{{out_1}}", "-t", "0.5", "-vn", "{{out_2}}"),
    ]
    with commander.http:
        file = commander.upload(media.path("film"))
        files = {"input_files": [file["id"]], "output_files": ["-vf movie.mp4", "%d|a.mp3"]}
        job = commander.submit("ffmpeg", files | {"ffmpeg_command": words})
        made = commander.completed(job)["outputs"]
        assert [each["name"] for each in made] == files["output_files"]
        for attack in ATTACKS[::16]:
            asked = files | {"ffmpeg_command": attack.values[0]}
            answer = commander.http.post("/v1/run-ffmpeg-command", json=asked)
            assert answer.status_code == 422, (attack.id, answer.text)


def client_with(role: Role) -> Client:
    key = ApiKeyFactory.create(tenant=TenantFactory.create(), role=role)
    return Client(headers={"Authorization": f"Bearer {vars(key)['text']}"})
