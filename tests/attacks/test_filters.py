"""Words in parameters that would mean something to FFmpeg: they are refused, or they are words."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from media_jobs.operations.core import REGISTRY, media_fields
from tests.attacks.delivery import params_with
from tests.attacks.ground import Ground, check_failed, check_refused
from tests.attacks.hostile_containers import film
from tests.harness.customer import Customer, Json
from tests.harness.measure import difference, grey_pixels
from tests.harness.media import FFMPEG, X264

pytestmark = pytest.mark.slow

# What each would do if it reached a filter graph, an option or a command line as it is.
WORDS = {
    "movie": "x[o];movie={ts}",
    "amovie": "x,amovie={mp4}",
    "movie after a chain": "null,movie={mp4}[x];[in][x]overlay",
    "lavfi": "lavfi:movie={ts}",
    "drawtext of a file": "x:textfile={txt}",
    "drawtext of a file, quoted": "x':textfile='{txt}",
    "drawtext of a file, escaped": "x\\:textfile={txt}",
    "subtitles": "x,subtitles={folder}/private.srt",
    "lut3d": "x,lut3d={folder}/private.cube",
    "removelogo": "x,removelogo={folder}/private.png",
    "sendcmd": "x,sendcmd=f={folder}/commands.txt",
    "metadata to a file": "x,metadata=print:file={folder}/made.txt",
    "metadata to an address": "x,metadata=print:file=http\\://127.0.0.1\\:{port}/",
    "statistics": "x:stats_file={folder}/made.txt",
    "pass log": "x -passlogfile {folder}/made",
    "x264": "x -x264-params pass=1:stats={folder}/made",
    "zmq": "x,zmq=bind_address=tcp\\://127.0.0.1\\:5555",
    "plugin": "x,frei0r=filter_name={folder}/private",
    "ladspa": "x,ladspa=file={folder}/private",
    "lv2": "x,lv2=plugin=file\\://{folder}/private",
    "tee": "[f=mpegts]{folder}/made.ts|[f=mpegts]tcp\\://127.0.0.1\\:{port}",
    "progress": "x -progress http://127.0.0.1:{port}/",
    "attach": "x -attach {txt}",
    "script": "x -filter_complex_script {folder}/graph.txt",
    "preset": "{folder}/graph.txt",
    "preset upwards": "../../../../../..{folder}/graph.txt",
    "pipe": "pipe:3",
    "descriptor": "/dev/fd/3",
    "environment": "/proc/self/environ",
    "unix": "unix:{unix}",
    "expansion": "%{metadata\\:title}%{pts}%{eif\\:1\\:d}",
    "expression": "if(gt(random(0)*1e9,0),{port},print(1))",
    "new option": "x\n-i {ts}",
    "line ends": "x\r\ny\r\n",
    "format": "%s%n%x%1000000d",
    "nothing but signs": "\\'\"`,;[]{}()=:|&$#~!*?<>%^@",
    "many signs": "\\" * 999,
    "a lone quote": "'",
    "template": "{{7*7}}${7*7}",
}
# What no operation has, and what FFmpeg has.
ADDED = (
    "vf",
    "-vf",
    "filter_complex",
    "args",
    "extra_args",
    "options",
    "command",
    "format_whitelist",
)


@pytest.fixture(scope="module")
def content() -> bytes:
    return film("film.mp4", *X264)


def _words(what: str, ground: Ground) -> str:
    canaries = ground.canaries
    places = {
        "folder": str(canaries.folder),
        "ts": str(canaries.at("private.ts")),
        "mp4": str(canaries.at("private.mp4")),
        "txt": str(canaries.at("private.txt")),
        "port": str(canaries.listeners.port),
        "unix": str(canaries.listeners.path),
    }
    words = WORDS[what]
    for name, place in places.items():
        words = words.replace(f"{{{name}}}", place)
    return words


@cache
def _jobs() -> tuple[str, ...]:
    return tuple(sorted(set(REGISTRY) - {"probe"}))


def _with_words(operation: str, ref: str, words: str) -> Iterator[Json]:
    """The parameters of every example, with ``words`` for one of them each time."""
    declared = REGISTRY[operation]
    good = params_with(operation, ref)
    names = set(declared.model_fields) - set(media_fields(declared))
    for name in sorted(names | set(ADDED)):
        yield good | {name: words}
    for example in declared.examples:
        for changed in _leaves(dict(example.params), words):
            yield good | changed


def _leaves(value: Any, words: str) -> Iterator[Any]:
    """Copies of ``value`` that have ``words`` in the place of one text each."""
    if isinstance(value, str):
        yield words
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from ({**value, name: changed} for changed in _leaves(inner, words))
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            for changed in _leaves(inner, words):
                yield [*value[:place], changed, *value[place + 1 :]]


@pytest.mark.parametrize("what", WORDS)
def test_no_parameter_takes_it(ground: Ground, alice: Customer, what: str, content: bytes) -> None:
    words = _words(what, ground)
    ref = alice.send_file(content, "film.mp4").json()["id"]
    taken = []
    for operation in _jobs():
        for params in _with_words(operation, ref, words):
            answer = alice.http.post("/v1/jobs", json={"operation": operation, "params": params})
            if answer.status_code == 202:
                taken.append(answer.json())
            else:
                check_refused(answer)
    for job in taken:
        ended = alice.ended(job)
        if ended["status"] != "completed":
            check_failed(ended)


@pytest.mark.parametrize("what", WORDS)
def test_what_is_told_of_a_job_is_only_told(
    ground: Ground, alice: Customer, what: str, content: bytes
) -> None:
    """Names, tags, metadata and webhooks."""
    words = _words(what, ground)
    body = {
        "operation": "video/thumbnails",
        "params": {"input": alice.send_file(content, "film.mp4").json()["id"], "count": 1},
    }
    options: list[Json] = [
        {"metadata": {words[:50]: words}, "tags": [words[:60]]},
        {"output_name": words[:140]},
        {"priority": words},
        {"device": words},
        {"webhook_url": words},
        {"operation": words},
    ]
    for more in options:
        answer = alice.http.post("/v1/jobs", json=body | more, headers={"Prefer": "wait=50"})
        if answer.status_code == 200:
            assert answer.json()["status"] == "completed", answer.text
            if "metadata" in more:
                assert answer.json()["metadata"] == more["metadata"]
        else:
            check_refused(answer)


TEXTS = {
    "colon": "12:30:59",
    "quote": "It's",
    "quotes": "''x''",
    "comma": "a,b",
    "brackets": "[in] [out]",
    "expansion": "%{pts} %{n}",
    "percent": "100% %d %%",
    "backslash": "a\\b",
    "backslashes": "a\\\\b\\n",
    "line": "one\ntwo",
    "option": "x:fontsize=90",
    "option in quotes": "x':fontsize='90",
    "filter": "a,negate,b",
    "graph": "a[x];[x]negate",
    "blanks": "  a  b  ",
    "signs": "=;#$&{}()",
    "accents": "Größe é",
}


def _film_of_text() -> bytes:
    return film("canvas.mp4", "-vf", "scale=256:64,setsar=1", *X264, "-crf", "1")


def _literal(text: str, folder: Path) -> Path:
    """The text as it is, by a file: nothing of it passes through a filter graph."""
    (folder / "canvas.mp4").write_bytes(_film_of_text())
    (folder / "text.txt").write_text(text)
    drawn = "drawtext=textfile=text.txt:expansion=none:font=DejaVu Sans:x=4:y=4:fontsize=20"
    command = [*FFMPEG, "-i", "canvas.mp4", "-vf", f"{drawn}:fontcolor=black", *X264]
    subprocess.run([*command, "-crf", "1", "literal.mp4"], cwd=folder, check=True)
    return folder / "literal.mp4"


@pytest.mark.parametrize("what", TEXTS)
def test_a_text_is_seen_as_it_is(alice: Customer, what: str, tmp_path: Path) -> None:
    literal = _literal(TEXTS[what], tmp_path)
    params = {"text": TEXTS[what], "x": 4, "y": 4, "font_size": 20, "color": "black"}
    job = alice.submit(
        "video/filter",
        {
            "input": alice.send_file(_film_of_text(), "canvas.mp4").json()["id"],
            "filters": [{"type": "text", "params": params}],
        },
    )
    [output] = alice.completed(job)["outputs"]
    (tmp_path / "made").mkdir()
    drawn = alice.download(output, tmp_path / "made")
    seen, wanted, blank = (
        grey_pixels(each, at_s=0.5, size=128) for each in (drawn, literal, tmp_path / "canvas.mp4")
    )
    assert difference(seen, wanted) < 1
    assert difference(seen, blank) > 1
