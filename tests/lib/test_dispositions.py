from __future__ import annotations

import re
from email.message import Message

import pytest
from django.conf import settings

from ffapi_site.lib.dispositions import content_disposition

NAMES = (
    *("film.mp4", "100%25.mp4", "100%.mp4", 'a"b.mp4', "a\\b.mp4", "a;b.mp4", "a'b.mp4"),
    *(
        "Fähre 1.mp4",
        "\U0001f600.mp4",
        "a\r\nSet-Cookie: x=1",
        "tab\t.mp4",
        "*=utf-8''x",
        "a,b.mp4",
    ),
    *("\x7f.mp4", "\u202e4pm.mp4", "$(x).mp4", "{{7*7}}.mp4", "x" * 255),
)


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_it_is_read_as_it_was_given(name: str, *, inline: bool) -> None:
    told = content_disposition(name, inline=inline)
    assert told.isascii()
    assert told.isprintable()
    header = Message()
    header["Content-Disposition"] = told
    assert header.get_content_disposition() == ("inline" if inline else "attachment")
    assert header.get_filename() == name


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_what_browsers_read_otherwise_is_never_within_quotes(name: str) -> None:
    quoted = re.search('filename="(.*)"', content_disposition(name))
    assert quoted is None or not set(quoted[1]) & set('%";\\')


def test_a_percent_sign_is_encoded() -> None:
    assert content_disposition("100%.mp4") == "attachment; filename*=utf-8''100%25.mp4"


def test_nothing_else_writes_the_header() -> None:
    by_itself = re.compile(r"filename=\"|filename\*=|attachment;|content_disposition_header")
    packages = ("accounts", "ffapi_site", "media_jobs", "storage")
    sources = [path for each in packages for path in (settings.BASE_DIR / each).rglob("*.py")]
    found = {path.name for path in sources if by_itself.search(path.read_text())}
    assert found <= {"dispositions.py"}
