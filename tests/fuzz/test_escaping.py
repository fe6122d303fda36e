"""Any text that is escaped is read back as itself: by a model of FFmpeg's reader, and by FFmpeg.

The model follows ``av_get_token`` (libavutil/avstring.c) on the graph's level and on that of the
options; the oracle of the pictures is FFmpeg's own ``textfile``, which nothing has to be escaped
for.
"""

from __future__ import annotations

import shlex
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from media_jobs.ffmpeg.command_line.graph_syntax import read_arguments, read_graph
from media_jobs.ffmpeg.command_line.parser import parse
from media_jobs.ffmpeg.filters import Filter, escape
from tests.ffmpeg.test_escape import read
from tests.fuzz import effort, invariants
from tests.harness.programs import FFMPEG_PATH

SIGNS = st.sampled_from("\\':[],;=%{}()\n\t \"#|&$`@!~-/.*?<>^0aZ")
SCRIPTS = st.sampled_from("éüßЖωאبहの漢字한👍‍\u200d\u0301\u2028\u00a0\u3000￿")
ANY = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
TEXTS = st.text(st.one_of(SIGNS, SIGNS, SCRIPTS, ANY), max_size=60)
# What a font can show; a tabulator's width follows from where it stands, which is the same in both.
SHOWN = st.text(
    st.one_of(
        SIGNS, st.characters(min_codepoint=33, max_codepoint=0x24F, exclude_categories=["C"])
    ),
    min_size=1,
    max_size=25,
)
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
SIZE = "640x120"


@pytest.mark.timeout(0)
def test_any_text_is_read_back_as_itself() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=effort.examples(5000, 500), deadline=None, database=None)
    @given(TEXTS, TEXTS)
    def texts(first: str, second: str) -> None:
        seen["texts"] += 1
        written = Filter("drawtext", text=first, fontcolor=second).write()
        options, rest = read(f"{written.removeprefix('drawtext=')},next=1[out]", "[],;")
        assert rest == ",next=1[out]"
        value, rest = read(options.removeprefix("text="), ":")
        assert value == first
        value, rest = read(rest.removeprefix(":fontcolor="), ":")
        assert (value, rest) == (second, "")

    effort.repeated(texts)
    print(f"escaping: {dict(seen)}")  # noqa: T201 -- a long run tells what it did


@settings(max_examples=effort.examples(1500, 300), deadline=None)
@given(TEXTS)
def test_the_readers_of_graphs_agree(said: str) -> None:
    """The product's, the tests' own two, and what is written from it again."""
    graph = f"[a]null,drawtext=text={escape(said)}:x=1[b];[b]null"
    chains = read_graph(graph)
    assert [[each.name for each in chain] for chain in chains] == [["null", "drawtext"], ["null"]]
    assert read_arguments(chains[0][1].arguments) == [("text", said), ("x", "1")]
    assert list(invariants.filters_of(graph))[1] == ("drawtext", [("text", said), ("x", "1")])


@settings(max_examples=effort.examples(1500, 300), deadline=None)
@given(TEXTS)
def test_a_text_in_a_command_stays_itself(said: str) -> None:
    """Through the shell's words, FFmpeg's two levels, and back."""
    if any(char < " " and char not in "\n\t" for char in said) or "\x7f" in said:
        return
    graph = f"drawtext=text={escape(said)}"
    command = f"-i {{{{input}}}} -vf {shlex.quote(graph)} {{{{output}}}}"
    (written,) = parse(command, ["in_1"], {"out_1": "mp4"}).graphs
    ((used,),) = written.chains
    assert dict(used.options)["text"] == said
    assert written.write({}) == graph


def rendered(folder: Path, *options: str) -> list[bytes]:
    """A picture for each of two ways to give the text, by one run: it takes long to start."""
    look = f"expansion=none:fontfile={FONT}:fontsize=24:fontcolor=white:x=4:y=4"
    one, other = (f"drawtext={option}:{look}" for option in options)
    done = subprocess.run(
        [
            *(FFMPEG_PATH, "-v", "error", "-f", "lavfi", "-i", f"color=black:s={SIZE}:d=0.04:r=25"),
            *("-vf", f"split[a][b];[a]{one}[c];[b]{other}[d];[c][d]vstack"),
            *("-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "-"),
        ],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    half = len(done.stdout) // 2
    return [done.stdout[:half], done.stdout[half:]]


@settings(
    max_examples=effort.examples(150, 10),
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(said=SHOWN)
@example(said="It's 50%: done")
@example(said="a:b,c;d[e]f'g\\h")
@example(said="\\\\''")
@example(said=" %{pts} %{n} \\n ")
@example(said="two\nlines")
@example(said="':textfile=/etc/passwd:x='")
@example(said="x,movie=/etc/passwd")
def test_the_picture_shows_the_text(tmp_path_factory: pytest.TempPathFactory, said: str) -> None:
    folder = tmp_path_factory.mktemp("text")
    said = said.rstrip("\n")  # of a file FFmpeg 9 leaves the last one out
    (folder / "said.txt").write_text(said)
    by_option, by_file = rendered(folder, f"text={escape(said)}", "textfile=said.txt")
    assert by_option == by_file
    # A picture that shows nothing proves nothing: those of blanks alone are that dark by right.
    is_shown = said.strip(" \n\t\u00a0\u00ad") and not said.startswith("\n")  # FFmpeg 9's fault
    assert any(by_option) or not is_shown
