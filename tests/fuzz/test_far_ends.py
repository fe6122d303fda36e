"""Whatever a server answers, a download ends with a whole file or with a refusal, and soon."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffapi_site.lib.netguard import Policy, Refused, download, fetch, post
from tests.fuzz import effort
from tests.lib.hostile_server import HostileServer, answering, ok, redirect

QUIET = settings(
    max_examples=effort.examples(2000, 150),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWERS = [
    ok(b"x" * 300, 'ETag: "v1"', 'Content-Disposition: attachment; filename="a b.mp4"'),
    ok(b"", "Last-Modified: Mon, 06 Jan 2020 10:00:00 GMT", "Date: Mon, 06 Jan 2020 12:00:00 GMT"),
    CHUNKED + b"5\r\nhello\r\n3;a=b\r\nabc\r\n0\r\nT: x\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok(b"abcd"),
    b'HTTP/1.1 206 P\r\nContent-Range: bytes 9-299/300\r\nETag: "v1"\r\n\r\n' + b"x" * 291,
    redirect("/b?c#d"),
]
PIECES = [
    *(b"\r\n", b"\n", b"\r", b":", b" ", b"\0", b"\xff", b"HTTP/1.0", b"HTTP/2", b"999", b"0"),
    *(b"Content-Length: 99\r\n", b"Content-Length: -1\r\n", b"Content-Length: \xb2\r\n"),
    *(b"Transfer-Encoding: gzip, chunked\r\n", b"Connection: close\r\n", b"Upgrade: h2c\r\n"),
    *(b"Location: http://[::1\r\n", b"Location: //\xff\r\n", b"Location: http://10.0.0.1\r\n"),
    *(b"Content-Encoding: gzip\r\n", b"Content-Range: bytes 5-/x\r\n", b"Date: x\r\n"),
    *(b"Date: Mon, 06 Jan 0001 00:00:00 -2359\r\n", b"Last-Modified: 99 Jan 20200 1:0:0 +9999\r\n"),
    b"Content-Disposition: attachment; filename*=idna''x\r\n",
    b"Content-Disposition: attachment; filename*0*=undefined''%ff; filename*1=x\r\n",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    answer = draw(st.sampled_from(ANSWERS))
    for _ in range(draw(st.integers(0, 4))):
        behind_status = answer.find(b"\r\n") + 2
        anywhere = st.integers(0, len(answer))
        place = draw(st.one_of(st.just(behind_status), anywhere))
        replaced = draw(st.sampled_from([0, 0, 1, 5]))
        answer = answer[:place] + draw(st.sampled_from(PIECES)) + answer[place + replaced :]
    return answer[: draw(st.integers(0, len(answer)))] if draw(st.booleans()) else answer


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_RESUME_AFTER_S", (0.001,) * 5)


@pytest.mark.timeout(0)
def test_any_answer_is_a_file_or_a_refusal() -> None:
    seen: Counter[str] = Counter()
    answers: Iterator[bytes] = iter(())

    with HostileServer(lambda _: [next(answers, b"")]) as server:
        policy = Policy(allowlist=frozenset({server.authority}))

        @QUIET
        @given(st.lists(mutated(), min_size=1, max_size=8))
        def conversations(said: list[bytes]) -> None:
            nonlocal answers
            answers = iter(said)
            seen["conversations"] += 1
            started, to = time.monotonic(), io.BytesIO()
            try:
                got = download(
                    server.url, to, policy=policy, max_bytes=9_000, timeout_s=5, stall_s=1
                )
            except Refused as refused:
                seen[refused.code] += 1
            else:
                seen["files"] += 1
                assert got.size_bytes == len(to.getvalue()) <= 9_000
                assert got.name.encode()
            assert time.monotonic() - started < 10

        effort.repeated(conversations)
    print(dict(seen))  # noqa: T201 -- how much was tried
    effort.check_shares(holds=seen["files"] > 0)
    effort.check_shares(holds=len(seen) > 3)  # and refusals of more than one kind


def test_it_works_for_posts() -> None:
    """What answers a webhook is cut at 4 KiB, and a redirect is only an answer."""
    for answer, status in ((ANSWERS[0], 200), (ANSWERS[-1], 302), (ok(b"x" * 99_999), 200)):
        with HostileServer(answering(answer)) as server:
            policy = Policy(allowlist=frozenset({server.authority}))
            got = post(server.url, b"{}", {}, policy=policy, timeout_s=5)
        assert got.status == status
        assert len(got.body) <= 4096
