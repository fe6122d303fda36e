"""Whatever text a user gives, FFmpeg reads it back as that text, and nothing after it is touched.

``read`` follows ``av_get_token`` of libavutil/avstring.c, which FFmpeg calls once for the graph
and once more for the options of a filter.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from media_jobs.ffmpeg.filters import Filter, escape

_BLANKS = " \n\t\r"
_SPECIALS = st.sampled_from("\\':[],;=%{}\n\t\r \"#|&$`@!~")
TEXTS = st.text(st.one_of(_SPECIALS, st.characters(exclude_characters="\0")), max_size=60)


def read(given_text: str, terminators: str) -> tuple[str, str]:
    """Read one token; give it and what is left."""
    out, end, place = "", 0, len(given_text) - len(given_text.lstrip(_BLANKS))
    while place < len(given_text) and given_text[place] not in terminators:
        char = given_text[place]
        place += 1
        if char == "\\" and place < len(given_text):
            out += given_text[place]
            place += 1
            end = len(out)
        elif char == "'":
            closing = given_text.find("'", place)
            closing = len(given_text) if closing < 0 else closing
            out += given_text[place:closing]
            place = closing + 1
            end = len(out)
        else:
            out += char
    return out[:end] + out[end:].rstrip(_BLANKS), given_text[place:]


@settings(max_examples=3000, deadline=None)
@given(TEXTS)
def test_any_text_is_read_back_as_itself(said: str) -> None:
    of_graph, rest = read(f"{escape(said)},next=1[out]", "[],;")
    assert rest == ",next=1[out]"
    value, rest = read(f"{of_graph}:next=1", ":")
    assert (value, rest) == (said, ":next=1")


@settings(max_examples=1000, deadline=None)
@given(TEXTS, TEXTS)
def test_an_option_never_reaches_its_neighbour(first: str, second: str) -> None:
    written = Filter("drawtext", text=first, fontcolor=second).write()
    options, rest = read(f"{written.removeprefix('drawtext=')};[a]null", "[],;")
    assert rest == ";[a]null"
    one, left = read(options.removeprefix("text="), ":")
    two, _ = read(left.removeprefix(":fontcolor="), ":")
    assert (one, two) == (first, second)
