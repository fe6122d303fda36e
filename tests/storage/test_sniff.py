"""Bytes are told apart soon, and words in binary media are no playlist."""

from __future__ import annotations

import subprocess
import timeit
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from storage.intake.sniff import HEAD_BYTES, FileRefused, Kind, head_of, sniff
from tests.factories import TenantFactory
from tests.harness.api_client import client_of
from tests.harness.media import FFMPEG, Samples

_GIF = b"GIF89a\x10\0\x10\0\x80\0\0\0\0\0\xff\xff\xff"


def test_it_works() -> None:
    assert sniff(b"1\n00:00:01,000 --> 00:00:02,000\nHello\n", "a").content_type == (
        "text/x-subrip"
    )


@pytest.mark.parametrize(
    "words", [b"urn:mpeg:dash:role:2011", b"<MPD xmlns=", b"\nc=IN IP4 1.2.3.4\n"]
)
def test_words_in_binary_media_are_no_playlist(words: bytes) -> None:
    comment = b"\x21\xfe" + bytes([len(words)]) + words + b"\0"
    assert sniff(_GIF + comment + b";", "a.gif").kind is Kind.MEDIA


@pytest.mark.parametrize(
    "text",
    [
        b"#EXTM3U\n",
        b" \r\n\0#EXTM3U\n",
        b"<?xml version='1.0'?>\n<!-- x --><MPD xmlns='urn:mpeg:dash:schema:mpd:2011'>\0",
        b"a=1\nc=IN IP4 1.2.3.4\n",
    ],
)
def test_a_text_that_is_a_playlist_is_refused(text: bytes) -> None:
    with pytest.raises(FileRefused) as refused:
        sniff(text, "film.mp4")
    assert refused.value.code == "playlist_refused"


def tag(size_bytes: int, *, footer: bool = False) -> bytes:
    size = bytes(size_bytes >> shift & 0x7F for shift in (21, 14, 7, 0))
    rest = bytes(size_bytes) + (b"3DI\x04\0\x10" + size if footer else b"")
    return b"ID3\x04\0" + (b"\x10" if footer else b"\0") + size + rest


def verdict(head: bytes) -> object:
    try:
        return sniff(head, "film.mp4")
    except FileRefused as refused:
        return refused.code


@pytest.mark.parametrize(
    "before", [b"", tag(0), tag(70_000), tag(65_500), b"\xff\xfe", b" " * 70_000]
)
@pytest.mark.parametrize("middle", [b"", b"\0", b"x" * 5000, b"x" * 70_000, b"\0" * 70_000])
@pytest.mark.parametrize("after", [b"#EXTM3U\n", b"<svg ", b"\na=1\nc=IN IP4 1.2.3.4\n", b"\x01"])
def test_fewer_bytes_are_taken_where_more_would_tell_no_more(
    before: bytes, middle: bytes, after: bytes
) -> None:
    content = before + middle + after + bytes(2 * HEAD_BYTES)
    assert verdict(head_of(BytesIO(content))) == verdict(content[:HEAD_BYTES])


def test_of_binary_media_little_is_taken() -> None:
    assert len(head_of(BytesIO(_GIF + bytes(HEAD_BYTES)))) < HEAD_BYTES / 10


@pytest.mark.parametrize(
    "before", [tag(0), tag(300), tag(20_000), tag(130, footer=True), tag(5) + tag(200)]
)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"#EXTM3U\n#EXT-X-VERSION:3\n", "playlist_refused"),
        (b"ffconcat version 1.0\nfile x\n", "playlist_refused"),
        (b"<?xml version='1.0'?><MPD xmlns='x'>", "playlist_refused"),
        (b"<svg xmlns=''>", "file_type_refused"),
    ],
)
def test_a_tag_before_it_hides_nothing(before: bytes, text: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        sniff(before + text, "song.mp3")
    assert refused.value.code == code


def test_a_tag_larger_than_what_is_looked_at_is_media() -> None:
    assert sniff(tag(2_000_000)[: 1 << 20], "song.mp3").kind is Kind.MEDIA


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (b"<svg xmlns=''>", "SVG"),
        (b"<?xml version='1.0'?> <!-- a -- b --> <!----><!DOCTYPE svg >", "SVG"),
        (b"<!-- <svg> --><html>", "HTML"),
    ],
)
def test_comments_before_a_page_hide_nothing(start: bytes, what: str) -> None:
    with pytest.raises(FileRefused, match=what):
        sniff(start, "a.mp4")


@pytest.mark.django_db
def test_a_commentary_track_of_our_own_making_is_taken_again(
    media: Samples, tmp_path: Path
) -> None:
    made = tmp_path / "commentary.mp4"
    spoken = ("-disposition:a:0", "comment", "-c", "copy", made)
    subprocess.run([*FFMPEG, "-i", media.path("film"), *spoken], check=True)
    assert b"urn:mpeg:dash:role:2011" in made.read_bytes()
    client = client_of(TenantFactory.create())
    response: Any = client.post(
        "/v1/files", {"file": SimpleUploadedFile("commentary.mp4", made.read_bytes())}
    )
    assert response.status_code == 201, response.json()


def test_many_tags_cost_no_more_than_their_bytes() -> None:
    def took_s(size: int) -> float:
        head = (b"ID3\x04" + bytes(6)) * (size // 10)
        return min(timeit.repeat(lambda: _refused(head), number=1, repeat=3))

    assert took_s(HEAD_BYTES) < 10 * took_s(HEAD_BYTES // 4) + 0.01


def _refused(head: bytes) -> None:
    with suppress(FileRefused):
        sniff(head, "a.mp3")
