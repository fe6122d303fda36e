"""A whole command: global options, then inputs and outputs with what stands before each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from media_jobs.ffmpeg.command_line import muxers, reading
from media_jobs.ffmpeg.command_line.graph import Graph
from media_jobs.ffmpeg.command_line.options import adds_up
from media_jobs.ffmpeg.command_line.reading import Option, Word
from media_jobs.ffmpeg.command_line.refusal import Refused
from media_jobs.ffmpeg.command_line.tokens import Aliases, Token, tokenise
from media_jobs.ffmpeg.command_line.values import seconds

# Each is a file that is open all the time.
MOST_INPUTS = 50


@dataclass(frozen=True)
class NamedFile:
    """An input or an output of a command, with the options that stand before it."""

    alias: str
    options: tuple[Option, ...] = ()

    def value(self, *names: str) -> str | None:
        """The last value of an option, by any of its names."""
        values = [each.value for each in self.options if each.name in names]
        return values[-1] if values and isinstance(values[-1], str) else None

    def has(self, name: str) -> bool:
        return any(each.name == name for each in self.options)

    def without(self, *names: str) -> NamedFile:
        kept = tuple(each for each in self.options if each.name not in names)
        return NamedFile(self.alias, kept)

    def without_overridden(self) -> NamedFile:
        """Each option once: of those that are given again FFmpeg takes the last."""
        kept: dict[tuple[str, ...], Option] = {}
        for place, each in enumerate(self.options):
            more = (str(place),) if adds_up(each.name, str(each.value)) else ()
            kept.pop((each.name, each.specifier, *more), None)
            kept[each.name, each.specifier, *more] = each
        return NamedFile(self.alias, tuple(kept.values()))

    @property
    def length_s(self) -> float | None:
        """How long it is at most, by its own options."""
        told = self.value("t")
        if told is not None:
            return seconds(told)
        until = self.value("to")
        return None if until is None else seconds(until) - seconds(self.value("ss") or "0")

    def argv(self, paths: Mapping[str, str]) -> tuple[str, ...]:
        return tuple(word for each in self.options for word in each.argv(paths))


@dataclass(frozen=True)
class CommandLine:
    inputs: tuple[NamedFile, ...] = ()
    outputs: tuple[NamedFile, ...] = ()
    options: tuple[Option, ...] = ()

    @property
    def graphs(self) -> tuple[Graph, ...]:
        own = [option.value for option in self.options]
        theirs = [option.value for each in self.outputs for option in each.options]
        return tuple(value for value in (*own, *theirs) if isinstance(value, Graph))

    @property
    def filter_count(self) -> int:
        return sum(1 for each in self.graphs for _ in each)

    def is_endless(self) -> bool:
        """Whether something in it goes on without end, unless the outputs say when."""
        repeats = any(
            each.length_s is None
            and ((each.value("stream_loop") or "0") == "-1" or each.value("loop") is not None)
            for each in self.inputs
        )
        return repeats or any(used.is_endless for each in self.graphs for used in each)


@dataclass
class _State:
    aliases: Aliases
    waiting: list[Word] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    inputs: list[NamedFile] = field(default_factory=list)
    outputs: list[NamedFile] = field(default_factory=list)

    def read(self, tokens: tuple[Token, ...]) -> None:
        words = iter(zip(tokens, (*tokens[1:], None), strict=True))
        for token, following in words:
            if token.text == "-i":
                self.read_input(following)
                next(words, None)
            elif token.text.startswith("-") and len(token.text) > 1:
                if self.read_option(token, following):
                    next(words, None)
            else:
                self.read_output(token)
        if self.waiting:
            refused = self.waiting[0].token
            raise refused.refuse("it stands behind the last file", "put it before one")

    def read_option(self, token: Token, following: Token | None) -> bool:
        """Whether the following word was its value."""
        word = reading.start(token, following)
        if reading.is_global(word):
            option = reading.settle(word, "global", self.aliases)
            if option and any(each.name == option.name for each in self.options):
                raise token.refuse("it is there already", "join graphs with a semicolon")
            self.options += [option] if option else []
        else:
            self.waiting.append(word)
        return word.value is not None

    def read_input(self, token: Token | None) -> None:
        alias = self.aliases.read(token.text) if token else None
        if token is None:
            raise Refused("-i stands at the end; {{alias}} is missing behind it")
        if alias not in self.aliases.inputs:
            raise token.refuse("it is not the alias of an input", self._named("input_files"))
        if len(self.inputs) >= MOST_INPUTS:
            raise token.refuse(f"a command reads at most {MOST_INPUTS} inputs")
        self.inputs.append(NamedFile(alias, self._settled("input")))

    def read_output(self, token: Token) -> None:
        alias = self.aliases.read(token.text)
        if alias not in self.aliases.outputs:
            raise token.refuse("it is not the alias of an output", self._named("output_files"))
        if any(each.alias == alias for each in self.outputs):
            raise token.refuse("this output is there already", "give each output a name of its own")
        self.outputs.append(NamedFile(alias, self._settled("output")))

    def _settled(self, place: reading.Place) -> tuple[Option, ...]:
        settled: list[Option] = []
        for word in self.waiting:
            option = reading.settle(word, place, self.aliases)
            if option is None:
                continue
            streams = (option.name, option.specifier)
            if option.name == "filter" and streams in {(o.name, o.specifier) for o in settled}:
                raise word.token.refuse("it is there already", "join filters with a comma")
            settled.append(option)
        self.waiting.clear()
        return tuple(settled)

    def _named(self, field_name: str) -> str:
        names = self.aliases.inputs if field_name == "input_files" else self.aliases.outputs
        listed = ", ".join(f"{{{{{name}}}}}" for name in sorted(names))
        return f"files are named by the aliases of {field_name}: {listed}"


def parse(
    command: str | Sequence[str], inputs: Sequence[str], outputs: Mapping[str, str]
) -> CommandLine:
    """Read a command; ``outputs`` are the endings of the outputs' names by alias.

    Raises ``Refused`` for everything that is not known to be harmless.
    """
    state = _State(Aliases.of(inputs, list(outputs)))
    state.read(tokenise(command))
    line = CommandLine(tuple(state.inputs), tuple(state.outputs), tuple(state.options))
    _check_files(line, inputs, outputs)
    for output in line.outputs:
        _check_muxer(output, outputs[output.alias])
    return line


def _check_files(line: CommandLine, inputs: Sequence[str], outputs: Mapping[str, str]) -> None:
    if not line.outputs:
        raise Refused("the command writes no output; end it with {{output}}")
    by_filters = {file.alias for graph in line.graphs for _, file in graph.files()}
    named = by_filters | {each.alias for each in (*line.inputs, *line.outputs)}
    for alias in (*inputs, *outputs):
        if alias not in named:
            raise Refused(f"{{{{{alias}}}}} is given but does not occur in the command")
    for option in (option for output in line.outputs for option in output.options):
        number = str(option.value).lstrip("-").partition(":")[0].rstrip("?")
        if option.name == "map" and number.isdigit() and int(number) >= len(line.inputs):
            raise Refused(
                f"-map {option.value}: there are {len(line.inputs)} inputs, counted from 0"
            )


def _check_muxer(output: NamedFile, extension: str) -> None:
    muxer = muxers.BY_EXTENSION.get(extension)
    if muxer is None:
        listed = ", ".join(sorted(muxers.BY_EXTENSION))
        raise Refused(
            f"{{{{{output.alias}}}}}: no file .{extension} is written; there are: {listed}"
        )
    asked = output.value("f")
    if asked is not None and not muxers.agrees(asked, muxer):
        raise Refused(
            f"-f {asked}: {{{{{output.alias}}}}} is a .{extension}; leave -f out, the name says it"
        )
