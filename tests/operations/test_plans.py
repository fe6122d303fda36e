"""No plan of an operation loses an option by giving it twice.

Every example is planned for every device, for awkward sources, and with other parameters.

`Media.ffmpeg` refuses such a plan; what else FFmpeg would pass over is counted here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, cycle, product, repeat
from typing import Any

import pytest

from media_jobs.ffmpeg.command import Command
from media_jobs.ffmpeg.devices import Cpu, Device
from media_jobs.ffmpeg.filters import Filter
from media_jobs.ffmpeg.graph import Chain, Graph
from media_jobs.ffmpeg.hardware import ENCODERS, made_for
from media_jobs.operations.core import (
    REGISTRY,
    Example,
    InvalidParams,
    InvalidParamsGroup,
    Media,
    Operation,
    Source,
    Target,
    parse,
)
from media_jobs.surfaces import form, plans

OPERATIONS = [pytest.param(each, id=name) for name, each in sorted(REGISTRY.items())]

_KNOWN = frozenset(name for named in ENCODERS.values() for name in named.values())
DEVICES: tuple[Device, ...] = (
    Cpu(),
    *(device for kind in ENCODERS if (device := made_for(kind, _KNOWN))),
)
_CHANGES = 400
GRAPH = Graph((Chain((Filter("null"),), ("0:0",), ("v",)),))


def surround(source: Source, codec: str) -> Source:
    """The same with 5.1 as films have it, and a stereo track behind it."""
    if not source.info.audio:
        return source
    first = replace(source.info.audio[0], codec=codec, channels=6, layout="5.1(side)")
    second = replace(first, index=first.index + 1, channels=2, layout="stereo")
    form_of = source.info.format_name if codec == "aac" else "matroska,webm"
    info = replace(source.info, audio=(first, second), format_name=form_of)
    return replace(source, info=info)


def awkward(sources: Mapping[str, Source]) -> list[dict[str, Source]]:
    """The sources as they are; with 5.1 in several codecs; and with a second track too."""
    found = [dict(sources)]
    for codec in ("aac", "opus", "mp3", "ac3"):
        both = {role: surround(source, codec) for role, source in sources.items()}
        found += [both, {role: with_one_track(source) for role, source in both.items()}]
    return found


def with_one_track(source: Source) -> Source:
    return replace(source, info=replace(source.info, audio=source.info.audio[:1]))


def changed(operation: type[Operation], example: Example) -> Iterator[dict[str, Any]]:
    """The parameters of an example with up to four others, the same ones each time."""
    schema = operation.model_json_schema()["properties"]
    values = {
        field.name: list(some_values(field, form.without_null(schema[field.name])))
        for field in form.fields(operation)
        if not field.is_media
    }
    names = [name for name, some in values.items() if some]
    dice = random.Random(example.title)  # noqa: S311 -- the same each time
    for _ in range(_CHANGES if names else 0):
        others = dice.sample(names, k=dice.randint(1, min(4, len(names))))
        yield plans.request(operation, example) | {
            name: dice.choice(values[name]) for name in others
        }


def some_values(field: form.Field, kind: Mapping[str, Any]) -> Iterator[Any]:
    yield from field.choices
    yield from kind.get("examples", ())
    if field.widget == "checkbox":
        yield from (True, False)
    if field.min is not None and field.max is not None:
        yield from (max(1, int(field.min)), int(min(field.max, field.min + 20)))


def commands(
    op: Operation, example: Example, device: Device, sources: Mapping[str, Source]
) -> list[Command]:
    """None of them where the operation refuses the sources."""
    known = [*example.answers, *(each for other in op.examples for each in other.answers), None]
    answers = chain(example.answers, repeat(known[0]))
    try:
        return plans.planned(op, Media(sources, device, max_filters=100), answers)
    except InvalidParams:
        return []


def lost(command: Command) -> list[str]:
    """Filters for the same kind of stream: at most one for each output."""
    outputs = max(1, len(command.outputs))
    return [
        name
        for name in ("-af", "-vf", "-filter:a", "-filter:v", "-filter_complex")
        if command.args.count(name) > (1 if name == "-filter_complex" else outputs)
    ]


def devices(operation: type[Operation]) -> tuple[Device, ...]:
    return DEVICES if operation.device == "any" else DEVICES[:1]


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_example_gives_an_option_twice(operation: type[Operation]) -> None:
    for example in operation.examples:
        op = parse(operation.name, plans.request(operation, example))
        for device, sources in product(devices(operation), awkward(plans.sources(op, example))):
            for command in commands(op, example, device, sources):
                assert lost(command) == [], command.args
        assert commands(op, example, Cpu(), plans.sources(op, example))


@pytest.mark.parametrize("operation", OPERATIONS)
def test_nor_do_other_parameters(operation: type[Operation]) -> None:
    for example in operation.examples:
        places = cycle(product(range(9), devices(operation)))
        for params in changed(operation, example):
            try:
                op = parse(operation.name, params)
            except InvalidParamsGroup:
                continue
            place, device = next(places)
            sources = awkward(plans.sources(op, example))[place]
            for command in commands(op, example, device, sources):
                assert lost(command) == [], command.args


@pytest.mark.parametrize(
    ("targets", "graph"),
    [
        ([Target(("-crf", "20", "-c:v", "libx264", "-crf", "30"))], None),
        ([Target(("-an",)), Target(("-vf", "scale=2:2", "-filter:v", "null"))], None),
        ([Target(("-map", "0:0"))], GRAPH),
        ([Target(("-map", "[v]", "-map", "[v]"))], GRAPH),
        ([Target(("-map", "[v]")), Target(("-map", "[v]"))], GRAPH),
        ([Target(("-map", "[v]", "-map", "[a]"))], GRAPH),
    ],
)
def test_what_ffmpeg_would_pass_over_is_refused(targets: list[Target], graph: Graph | None) -> None:
    with pytest.raises(ValueError, match=r"given twice|are mapped"):
        Media({}).ffmpeg([], targets, graph=graph)


def test_what_it_would_not_is_taken() -> None:
    """Each output has options of its own, and what adds up may be there twice."""
    targets = [Target(("-map", "[v]", "-map", "0:1", "-crf", "20")), Target(("-crf", "30"))]
    assert Media({}).ffmpeg([], targets, graph=GRAPH).args.count("-crf") == 2
