"""Words in parameters that would mean something to FFmpeg: they are refused, or they are words."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from media_jobs.operations.core import (
    REGISTRY,
    InvalidParams,
    InvalidParamsGroup,
    Media,
    driver,
    media_fields,
    media_refs,
    parse,
)
from media_jobs.operations.core.samples import SAMPLES
from tests.api.sending import pointers, send
from tests.attacks.closed_network import ClosedNetwork
from tests.attacks.delivery import params_with
from tests.attacks.ground import KNOWN_CODES, Ground, check_failed, check_refused
from tests.attacks.hostile_containers import film
from tests.factories import TenantFactory
from tests.harness.api_client import client_of
from tests.harness.customer import Customer, Json
from tests.harness.measure import difference, raw_frame
from tests.harness.media import FFMPEG, X264, tone

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
def ref(network: ClosedNetwork, _customers: tuple[Customer, Customer]) -> str:
    """The attacker's film, with sound, so that every operation could do something with it."""
    content = film("film.mp4", *tone(440, 2), *X264, "-c:a", "aac", "-shortest")
    with network.entered():
        made: str = _customers[0].send_file(content, "film.mp4").json()["id"]
    return made


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


def _refused_as(operation: str, params: Json) -> set[str]:
    """The codes with which it is refused before there is a job; none where it is taken."""
    try:
        wanted = parse(operation, params)
        refs = enumerate(media_refs(wanted))
        sources = {ref.role: SAMPLES["film"].as_source(ref.role, n) for n, ref in refs}
        driver.plan(wanted, Media(sources, max_filters=50))
    except InvalidParamsGroup as refused:
        return {each.code for each in refused.errors}
    except InvalidParams as refused:
        return {refused.code}
    return set()


def _tried(what: str, words: str, ref: str) -> Iterator[tuple[str, Json]]:
    """All that is taken, to be done for real; and of all that is not, a part in turn."""
    refused = []
    for operation in _jobs():
        for params in _with_words(operation, ref, words):
            if codes := _refused_as(operation, params):
                assert codes <= KNOWN_CODES, (operation, params)
                refused.append((operation, params))
            else:
                yield operation, params
    yield from refused[[*WORDS].index(what) :: len(WORDS)]


@pytest.mark.parametrize("what", WORDS)
def test_no_parameter_takes_it(ground: Ground, alice: Customer, what: str, ref: str) -> None:
    taken = []
    for operation, params in _tried(what, _words(what, ground), ref):
        answer = alice.http.post("/v1/jobs", json={"operation": operation, "params": params})
        if answer.status_code == 202:
            taken.append(answer.json())
        else:
            check_refused(answer)
    for job in taken:
        ended = alice.ended(job)
        if ended["status"] != "completed":
            check_failed(ended)


def test_what_is_told_of_a_job_is_only_told(ground: Ground, alice: Customer, ref: str) -> None:
    """Names, tags and metadata."""
    body = {"operation": "video/thumbnails", "params": {"input": ref, "count": 1}}
    taken = []
    for words in (_words(what, ground) for what in WORDS):
        metadata = {words[:50]: words}
        for more in ({"metadata": metadata, "tags": [words[:60]]}, {"output_name": words[:140]}):
            answer = alice.http.post("/v1/jobs", json=body | more)
            if answer.status_code == 202:
                taken.append((answer.json(), more))
            else:
                check_refused(answer)
    assert len(taken) > len(WORDS)
    for job, more in taken:
        assert alice.completed(job)["metadata"] == more.get("metadata", {})


@pytest.mark.django_db
@pytest.mark.parametrize("option", ["priority", "device", "webhook_url", "operation"])
def test_no_other_option_takes_it(option: str) -> None:
    client = client_of(TenantFactory.create())
    body = {"operation": "probe", "params": {"input": "https://example.org/a.mp4"}}
    for what, words in WORDS.items():
        assert f"/{option}" in pointers(send(client, "/v1/jobs", body | {option: words})), what


TEXTS = (
    "12:30:59",
    "It's",
    "''x''",
    "a,b",
    "[in] [out]",
    "%{pts} %{n}",
    "100% %d %%",
    "a\\b",
    "a\\\\b\\n",
    "one\ntwo",
    "x:fontsize=90",
    "x':fontsize='90",
    "a,negate,b",
    "a[x];[x]negate",
    "  a  b  ",
    "=;#$&{}()",
    "Größe é",
)
_LINE_PX = 48
_WHOLE = f"scale=256:{_LINE_PX * len(TEXTS)},setsar=1"


def _literal(folder: Path) -> Path:
    """The texts as they are, by files: nothing of them passes through a filter graph."""
    drawn = []
    for n, text in enumerate(TEXTS):
        (folder / f"{n}.txt").write_text(text)
        look = f"font=DejaVu Sans:x=4:y={_LINE_PX * n + 2}:fontsize=18:fontcolor=black"
        drawn.append(f"drawtext=textfile={n}.txt:expansion=none:{look}")
    command = [*FFMPEG, "-i", "canvas.mp4", "-vf", ",".join(drawn), *X264, "-crf", "1"]
    subprocess.run([*command, "literal.mp4"], cwd=folder, check=True)
    return folder / "literal.mp4"


def test_a_text_is_seen_as_it_is(alice: Customer, tmp_path: Path) -> None:
    """All of them one below the other, in one film."""
    canvas = film("canvas.mp4", "-vf", _WHOLE, *X264, "-crf", "1")
    (tmp_path / "canvas.mp4").write_bytes(canvas)
    texts = [
        {"text": text, "x": 4, "y": _LINE_PX * n + 2, "font_size": 18, "color": "black"}
        for n, text in enumerate(TEXTS)
    ]
    job = alice.submit(
        "video/filter",
        {
            "input": alice.send_file(canvas, "canvas.mp4").json()["id"],
            "filters": [{"type": "text", "params": text} for text in texts],
        },
    )
    [output] = alice.completed(job)["outputs"]
    (tmp_path / "made").mkdir()
    drawn = alice.download(output, tmp_path / "made")
    seen, wanted, blank = (
        raw_frame(each, 0.5, "format=gray")
        for each in (drawn, _literal(tmp_path), tmp_path / "canvas.mp4")
    )
    for n, text in enumerate(TEXTS):
        line = slice(n * _LINE_PX * 256, (n + 1) * _LINE_PX * 256)
        assert difference(seen[line], wanted[line]) < 1, text
        assert difference(seen[line], blank[line]) > 1, text
