"""What an operation sees of its job: sources, device, and the one builder of FFmpeg lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from media_jobs.ffmpeg.capabilities import Capabilities
from media_jobs.ffmpeg.command import Command, OutputFile, Parser
from media_jobs.ffmpeg.devices import Cpu, Device, Encoding
from media_jobs.ffmpeg.filters import Feed, Filter, placed
from media_jobs.ffmpeg.graph import Graph
from media_jobs.ffmpeg.media_info import VideoStream
from media_jobs.ffmpeg.output_args import doubled, mapped_labels
from media_jobs.operations.core.source import Args, Input, Source

GLOBAL_ARGS: Args = (
    "-hide_banner",
    # Never wait for a key press.
    "-nostdin",
    "-y",
    # Every message says how grave it is; the failure table and the log rely on it.
    "-loglevel",
    "level+info",
    # The status line rewrites itself with \r; -progress says the same in whole lines.
    "-nostats",
    "-progress",
    "pipe:1",
    "-stats_period",
    "0.5",
)


class Readable(Protocol):
    """One ``-i`` with the options before it."""

    def argv(self, device: Device) -> Args: ...


@dataclass(frozen=True)
class Target:
    """One output of a command: its arguments, and the file; no file means the null muxer."""

    args: Args
    file: OutputFile | None = None
    path: str | None = None

    def argv(self) -> Args:
        where = self.file.path if self.file else self.path
        return (*self.args, where) if where else (*self.args, "-f", "null", "-")


@dataclass(frozen=True)
class Result:
    """The answer of an analysis, or what a conversion has to say beside its files."""

    data: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Media:
    """``sources`` by role, in the order of the declaration's fields."""

    sources: Mapping[str, Source]
    device: Device = field(default_factory=Cpu)
    capabilities: Capabilities = field(default_factory=Capabilities)
    max_filters: int = 10
    needs_duration_limit: bool = False
    """Whether a command of the user's own must say when its outputs end."""

    @property
    def source(self) -> Source:
        return next(iter(self.sources.values()))

    def all_of(self, role: str) -> tuple[Source, ...]:
        """The sources of a list: those whose roles are ``role/0``, ``role/1`` and so on."""
        return tuple(source for name, source in self.sources.items() if name.startswith(f"{role}/"))

    def placed(
        self,
        filters: Sequence[Filter],
        video: VideoStream | None = None,
        encoding: Encoding | None = None,
    ) -> tuple[Filter, ...]:
        """The filters of a video, each where its frames are: on the GPU or in main memory.

        ``video`` is given where the device decodes it, ``encoding`` where it encodes.
        """
        feed = self.device.feed(encoding) if encoding else None
        return placed(filters, self.device.surface(video), feed)

    def in_memory(self, filters: Sequence[Filter], video: VideoStream) -> tuple[Filter, ...]:
        """The filters of a video that the device decodes, and what brings its frames down."""
        return placed(filters, self.device.surface(video), Feed())

    def ffmpeg(  # noqa: PLR0913 -- each is one fact of the command
        self,
        inputs: Sequence[Readable | Source],
        targets: Sequence[Target],
        *,
        graph: Graph | None = None,
        stage: str = "encoding",
        duration_s: float | None = None,
        share: float = 1.0,
        parse: Parser | None = None,
    ) -> Command:
        """Raise ``ValueError`` for what FFmpeg would pass over without a word.

        That is an option given twice for one output, of which it keeps the last, and a result of
        the graph that is not mapped to exactly one output.
        """
        check_targets(targets, graph)
        read = [Input(each) if isinstance(each, Source) else each for each in inputs]
        made = tuple(arg for target in targets for arg in target.argv())
        return Command(
            args=(
                *GLOBAL_ARGS,
                *self.device.setup(made),
                *(arg for each in read for arg in each.argv(self.device)),
                *(("-filter_complex", graph.write()) if graph else ()),
                *made,
            ),
            stage=stage,
            duration_s=duration_s,
            share=share,
            outputs=tuple(target.file for target in targets if target.file),
            parse=parse,
        )


def check_targets(targets: Sequence[Target], graph: Graph | None) -> None:
    for target in targets:
        if twice := doubled(target.args):
            raise ValueError(f"given twice for one output: {', '.join(twice)}")
    if graph is not None:
        mapped = [label for target in targets for label in mapped_labels(target.args)]
        if sorted(mapped) != sorted(graph.results):
            raise ValueError(f"the graph gives {graph.results}, but {mapped} are mapped")
