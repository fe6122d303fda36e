"""An FFmpeg command of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError, ValidationInfo, field_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from media_jobs.ffmpeg.command_line.filter_table import FILTERS
from media_jobs.ffmpeg.command_line.muxers import BY_EXTENSION, Muxer
from media_jobs.ffmpeg.command_line.parser import CommandLine, NamedFile, parse
from media_jobs.ffmpeg.command_line.refusal import Refused
from media_jobs.ffmpeg.command_line.tokens import MOST_CHARACTERS, MOST_WORDS
from media_jobs.operations.core import (
    Command,
    Example,
    Input,
    Media,
    Operation,
    OutputFile,
    Source,
    Target,
)
from media_jobs.operations.custom.capability_checks import check_means
from media_jobs.operations.custom.files import InputFiles, OutputFiles, extension

Words = Annotated[str, StringConstraints(max_length=MOST_CHARACTERS)]


class Ffmpeg(Operation):
    """Run an FFmpeg command of your own.

    The command is what would stand behind ``ffmpeg``, as one string or as a list of arguments. It
    names files by the aliases of ``input_files`` and ``output_files`` in double braces, and in no
    other way; ``{{input}}`` and ``{{output}}`` are the only file of their kind. It is given to no
    shell: it is read, every option, filter and option of a filter is looked up in a list of those
    that are allowed, and the command that runs is written anew. What reads or writes other
    files, opens addresses, loads code or gives orders to a running FFmpeg is in none of the lists.

    The kind of each output follows from the ending of its name. A filter may read an input too,
    as in ``subtitles=filename={{in_1}}``. What the service sets itself (``-y``, ``-hide_banner``,
    ``-loglevel`` and their like) may stand there and changes nothing.
    """

    name = "ffmpeg"
    path = "run-ffmpeg-command"
    aliases = ("run-ffmpeg-command",)
    group = "custom"
    scope = "ffmpeg:custom"
    field_aliases = {
        "inputs": "input_files",
        "input": "input_files",
        "input_url": "input_files",
        "video_url": "input_files",
        "audio_url": "input_files",
        "outputs": "output_files",
        "output": "output_files",
        "command": "ffmpeg_command",
        "args": "ffmpeg_command",
    }
    widgets = {"ffmpeg_command": "textarea"}
    examples = (
        Example(
            "smaller, with the sound as it is",
            {"input_files/in_1": "film"},
            {
                "output_files": {"out_1": "small.mp4"},
                "ffmpeg_command": "-i {{in_1}} -vf scale=320:-2 -c:v libx264 -crf 28 "
                "-c:a copy -movflags +faststart {{out_1}}",
            },
            expect={"video": "h264", "audio": "aac", "width": 320, "duration_s": 4},
        ),
        Example(
            "side by side, as a list of arguments",
            {"input_files/left": "red", "input_files/right": "green"},
            {
                "output_files": {"both": "both.mkv"},
                "ffmpeg_command": [
                    *("-i", "{{left}}", "-i", "{{right}}"),
                    *("-filter_complex", "[0:v][1:v]hstack=inputs=2[v]", "-map", "[v]"),
                    *("-c:v", "libx264", "-preset", "veryfast", "-t", "1", "{{both}}"),
                ],
            },
            expect={"video": "h264", "width": 640, "height": 180, "duration_s": 1},
        ),
        Example(
            "a text, and the sound alone as a second output",
            {"input_files/in_1": "film"},
            {
                "output_files": {"out_1": "titled.mp4", "out_2": "sound.mp3"},
                "ffmpeg_command": "-i {{in_1}} -vf \"drawtext=text='It is 5\\:30':fontsize=24\" "
                "-c:v libx264 -preset veryfast -c:a copy {{out_1}} "
                "-vn -c:a libmp3lame -b:a 128k {{out_2}}",
            },
            expect={"video": "h264", "outputs": 2, "duration_s": 4},
        ),
    )

    @classmethod
    def description(cls) -> str:
        listed = ", ".join(sorted(FILTERS))
        return f"{super().description()}\n\nThe filters that are allowed: {listed}."

    input_files: InputFiles
    """The inputs: an object of aliases and media, or a list, whose aliases are in_1, in_2, …"""
    output_files: OutputFiles
    """The outputs: an object of aliases and file names, or one name, whose alias is out_1."""
    ffmpeg_command: (
        Annotated[Words, Field(min_length=1)]
        | Annotated[tuple[Words, ...], Field(min_length=1, max_length=MOST_WORDS)]
    )
    """The command, with {{alias}} for every file."""

    @field_validator("ffmpeg_command")
    @classmethod
    def _is_allowed(
        cls, command: str | tuple[str, ...], info: ValidationInfo
    ) -> str | tuple[str, ...]:
        if {"input_files", "output_files"} <= info.data.keys():
            try:
                read(command, info.data["input_files"], info.data["output_files"])
            except Refused as refused:
                raise located(refused, command) from refused
        return command

    def command(self, m: Media) -> Command:
        line = read(self.ffmpeg_command, self.input_files, self.output_files)
        check_means(line, m, self._sources(m))
        sources = self._sources(m)
        paths = {alias: source.path for alias, source in sources.items()}
        of_all = tuple(word for each in line.options for word in each.argv(paths))
        targets = [
            self._target(output, place, paths, of_all if place == 0 else ())
            for place, output in enumerate(line.outputs)
        ]
        return m.ffmpeg(
            [
                Input(sources[each.alias], options=each.without("f").argv(paths))
                for each in line.inputs
            ],
            targets,
            duration_s=planned_s(line, sources),
        )

    def _sources(self, m: Media) -> dict[str, Source]:
        return {alias: m.sources[f"input_files/{alias}"] for alias in self.input_files}

    def _target(
        self, output: NamedFile, place: int, paths: Mapping[str, str], before: tuple[str, ...]
    ) -> Target:
        name = self.output_files[output.alias]
        ending = extension(name)
        muxer = BY_EXTENSION[ending]
        args = (
            *before,
            *output.without("f", "update").without_overridden().argv(paths),
            *one_picture(output, muxer),
            *("-f", muxer.name),
        )
        file = OutputFile(
            # The name of the file on disk is the service's own.
            path=f"out/{place}.{ending}",
            role=output.alias,
            name=name,
            content_type=muxer.content_type,
            streams=frozenset() if muxer.is_media else None,
        )
        return Target(args, file)


def read(
    command: str | tuple[str, ...], inputs: Mapping[str, object], outputs: Mapping[str, str]
) -> CommandLine:
    endings = {alias: extension(name) for alias, name in outputs.items()}
    return parse(command, list(inputs), endings)


def located(refused: Refused, command: str | tuple[str, ...]) -> ValidationError:
    """The same for pydantic, which then points at the word where the command is a list."""
    is_at_word = refused.position is not None and not isinstance(command, str)
    why = PydanticCustomError("command", "{detail}", {"detail": refused.detail})
    place = (refused.position or 0,) if is_at_word else ()
    return ValidationError.from_exception_data(
        "command", [InitErrorDetails(type=why, loc=place, input=command)]
    )


def one_picture(output: NamedFile, muxer: Muxer) -> tuple[str, ...]:
    """A picture is one file under exactly this name, not a numbered series."""
    if muxer.name != "image2":
        return ()
    return ("-update", "1", *(() if output.has("frames") else ("-frames:v", "1")))


def planned_s(line: CommandLine, sources: Mapping[str, Source]) -> float | None:
    """How long the longest output will be, as far as can be told; for the progress only."""
    limits = [each.length_s for each in line.outputs]
    longest = max((sources[each.alias].duration_s for each in line.inputs), default=0.0)
    lengths = [longest if limit is None else limit for limit in limits]
    return max(lengths, default=0.0) or None
