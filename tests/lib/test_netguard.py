from __future__ import annotations

import hashlib
import io
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ffapi_site.lib.netguard import Downloaded, Policy, Refused, connection, download, post
from ffapi_site.lib.netguard.names import file_name
from tests.lib.hostile_server import Answer, HostileServer, answering, ok, redirect

BODY = bytes(range(256)) * 4096
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def allowing(*servers: HostileServer) -> Policy:
    return Policy(allowlist=frozenset(server.authority for server in servers))


def fetched(
    url: str, policy: Policy, *, timeout_s: float = 10, stall_s: float = 5, max_bytes: int = 2 << 20
) -> tuple[Downloaded, bytes]:
    to = io.BytesIO()
    found = download(
        url, to, policy=policy, max_bytes=max_bytes, timeout_s=timeout_s, stall_s=stall_s
    )
    return found, to.getvalue()


def refused(answer: Answer, *, timeout_s: float = 10, stall_s: float = 5) -> str:
    with HostileServer(answer) as server, pytest.raises(Refused) as error:
        fetched(f"{server.url}/x", allowing(server), timeout_s=timeout_s, stall_s=stall_s)
    return error.value.code


def test_it_works() -> None:
    seen: list[tuple[int, int | None]] = []
    to = io.BytesIO()
    with HostileServer(answering(ok(BODY, "Content-Type: Video/MP4; x=y"))) as server:
        found = download(
            f"{server.url}/films/my%20clip.mp4?token=1",
            to,
            policy=allowing(server),
            max_bytes=len(BODY),
            timeout_s=10,
            on_progress=lambda done, total: seen.append((done, total)),
        )

    assert hashlib.sha256(to.getvalue()).digest() == hashlib.sha256(BODY).digest()
    assert found == Downloaded(
        size_bytes=len(BODY),
        content_type="video/mp4",
        name="my clip.mp4",
        final_url=f"{server.url}/films/my%20clip.mp4?token=1",
        sha256=hashlib.sha256(BODY).hexdigest(),
    )
    assert seen[-1] == (len(BODY), len(BODY))
    head = server.requests[0].decode()
    assert head.startswith("GET /films/my%20clip.mp4?token=1 HTTP/1.1\r\n")
    assert f"Host: {server.authority}\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head
    assert "cookie" not in head.lower()


def test_chunks_without_a_length() -> None:
    chunked = CHUNKED + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with HostileServer(answering(chunked)) as server:
        found, body = fetched(server.url, allowing(server), max_bytes=5)

    assert body == b"abcde"
    assert (found.size_bytes, found.content_type, found.name) == (5, None, "download")


def test_a_redirect_is_followed_and_checked() -> None:
    with HostileServer(answering(ok(b"there"))) as second:
        first = HostileServer(answering(redirect(f"{second.url}/moved.mp4")))
        with first:
            found, body = fetched(f"{first.url}/x", allowing(first, second))

    assert body == b"there"
    assert found.final_url == f"{second.url}/moved.mp4"
    assert found.name == "moved.mp4"


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ("/two words.mp4", "/two%20words.mp4"),
        ("/two%20words.mp4?a=b c", "/two%20words.mp4?a=b%20c"),
        ("/caf\u00e9.mp4", "/caf%C3%A9.mp4"),
        ("/\u65e5\u672c.mp4#part", "/%E6%97%A5%E6%9C%AC.mp4"),
        ("film name.mp4", "/a/film%20name.mp4"),
    ],
)
def test_a_redirect_is_escaped_as_browsers_do(location: str, asked: str) -> None:
    def answer(request: bytes) -> Iterable[bytes]:
        head = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: "
        first = request.startswith(b"GET /a/first ")
        return [head + location.encode() + b"\r\n\r\n"] if first else [ok(b"film")]

    with HostileServer(answer) as server:
        fetched(f"{server.url}/a/first", allowing(server))
        assert server.requests[1].startswith(f"GET {asked} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ("http://169.254.169.254/latest/meta-data/", "url_address_not_allowed"),
        ("http://2852039166/", "url_invalid"),
        ("http://[::ffff:169.254.169.254]/", "url_address_not_allowed"),
        ("http://127.0.0.1:1/", "url_address_not_allowed"),
        ("http://user:x@example.com/", "url_has_credentials"),
        ("file:///etc/passwd", "url_scheme_not_allowed"),
        ("http://[::1", "url_invalid"),
        ("", "bad_response"),
    ],
)
def test_a_redirect_inside_makes_no_connection(
    to: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int]] = []
    really = connection.resolve

    def recorded(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return really(host, port)

    monkeypatch.setattr(connection, "resolve", recorded)
    with HostileServer(answering(redirect(to))) as server, pytest.raises(Refused) as error:
        fetched(server.url, allowing(server))

    assert error.value.code == code
    assert asked == [("127.0.0.1", server.port)]


def test_a_redirect_loop_ends() -> None:
    with HostileServer(answering(redirect("/again"))) as server, pytest.raises(Refused) as error:
        fetched(server.url, allowing(server))

    assert error.value.code == "too_many_redirects"
    assert len(server.requests) == 6


def test_names_that_resolve_inside_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for addresses in (["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::ffff:127.0.0.1"]):
        monkeypatch.setattr(connection, "resolve", lambda *_, found=addresses: found)
        with pytest.raises(Refused) as error:
            fetched("http://innocent.example/", Policy())
        assert error.value.code == "url_address_not_allowed"


def test_a_second_answer_of_the_dns_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: the address that was checked is the one that is connected to."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    with HostileServer(answering(ok(b"pinned"))) as server:
        monkeypatch.setattr(connection, "resolve", lambda *_: next(answers))
        url = f"http://rebinding.example:{server.port}/x"
        _, body = fetched(url, Policy(allow_private=True))
        with pytest.raises(Refused) as error:
            fetched(url, Policy(allow_private=True))

    assert body == b"pinned"
    assert b"Host: rebinding.example:" in server.requests[0]
    assert error.value.code == "url_address_not_allowed"
    assert len(server.requests) == 1


def test_the_next_checked_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing listens on the second loopback address.
    monkeypatch.setattr(connection, "resolve", lambda *_: ["127.0.0.2", "127.0.0.1"])
    with HostileServer(answering(ok(b"second"))) as server:
        _, body = fetched(f"http://two.example:{server.port}/", Policy(allow_private=True))

    assert body == b"second"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "bad_status"),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Length: 1\r\n\r\nx", "bad_status"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "content_length_mismatch"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nfive.", "bad_response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nfive.", "bad_response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "too_large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", "bad_response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n Transfer: x\r\n\r\nx", "bad_response"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3, "bad_response"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "bad_response"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "bad_status"),
        (CHUNKED + b"ffffffffffffffffffff\r\nx", "body_incomplete"),
        (CHUNKED + b"0\r\nX: " + b"x" * (1 << 20), "body_incomplete"),
        (ok(b"x", "Content-Encoding: br, gzip"), "encoding_not_allowed"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (3 << 20), "too_large"),
        (ok(b"\x1f\x8b", "Content-Encoding: gzip"), "encoding_not_allowed"),
        (CHUNKED + b"5\r\nab", "body_incomplete"),
        (CHUNKED + b"nonsense\r\n", "body_incomplete"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20), "bad_response"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "bad_response"),
        (b"", "bad_response"),
    ],
)
def test_a_lying_server_is_refused(answer: bytes, code: str) -> None:
    assert refused(answering(answer)) == code


def endless(head: bytes, piece: bytes, *, pause_s: float = 0) -> Answer:
    def answer(_: bytes) -> Iterator[bytes]:
        yield head
        while True:
            time.sleep(pause_s)
            yield piece

    return answer


def test_endless_chunks_end() -> None:
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    assert refused(endless(CHUNKED, piece)) == "too_large"


def test_endless_headers_end() -> None:
    assert refused(endless(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n")) == "bad_response"


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: ", b""],
    ids=["body", "headers", "status"],
)
def test_a_trickle_ends(head: bytes) -> None:
    started = time.monotonic()
    trickle = endless(head, b"1", pause_s=0.1)
    assert refused(trickle, timeout_s=1, stall_s=0.5) == "too_slow"
    assert 0.9 < time.monotonic() - started < 2


def test_silence_ends() -> None:
    started = time.monotonic()
    silent = endless(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", b"1", pause_s=1.5)
    assert refused(silent, stall_s=0.5) == "too_slow"
    assert time.monotonic() - started < 4


def test_unreachable() -> None:
    with HostileServer(answering(b"")) as server:
        policy = allowing(server)
    with pytest.raises(Refused) as error:
        fetched(f"{server.url}/", policy)
    assert error.value.code == "url_unreachable"


def test_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> list[str]:
        raise OSError("Name or service not known")

    monkeypatch.setattr(connection, "resolve", unknown)
    with pytest.raises(Refused, match=r"url_unreachable: nowhere\.example cannot be found"):
        fetched("http://nowhere.example/", Policy())


def test_post_sends_body_and_headers() -> None:
    with HostileServer(answering(ok(b"x" * 10_000))) as server:
        answer = post(
            f"{server.url}/hook",
            b'{"ended": true}',
            {"Content-Type": "application/json", "Webhook-Id": "msg_1"},
            policy=allowing(server),
            timeout_s=5,
        )

    assert (answer.status, answer.body) == (200, b"x" * 4096)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook HTTP/1.1\r\n")
    assert b"Webhook-Id: msg_1\r\n" in head + b"\r\n"
    assert b"Content-Length: 15" in head
    assert body == b'{"ended": true}'


def test_post_never_follows() -> None:
    with HostileServer(answering(redirect("/elsewhere"))) as server:
        answer = post(server.url, b"{}", {}, policy=allowing(server), timeout_s=5)

    assert answer.status == 302
    assert len(server.requests) == 1


def test_post_inside_is_refused() -> None:
    with HostileServer(answering(ok(b""))) as server, pytest.raises(Refused) as error:
        post(server.url, b"{}", {}, policy=Policy(), timeout_s=5)

    assert error.value.code == "url_address_not_allowed"
    assert server.requests == []


def test_post_gives_up() -> None:
    slow = endless(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"1", pause_s=0.1)
    with HostileServer(slow) as server, pytest.raises(Refused) as error:
        post(server.url, b"{}", {}, policy=allowing(server), timeout_s=0.5)

    assert error.value.code == "too_slow"


@pytest.fixture
def certified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], ssl.SSLContext]]:
    """Make a server's TLS context for a name; its certificate is the one that clients trust."""

    def for_name(name: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        pem = tmp_path / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return context

    connection.tls_context.cache_clear()
    yield for_name
    connection.tls_context.cache_clear()


def secured(server: HostileServer, name: str, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr(connection, "resolve", lambda *_: ["127.0.0.1"])
    policy = Policy(allowlist=frozenset({f"{name}:{server.port}"}))
    return fetched(f"https://{name}:{server.port}/x", policy)[1]


def test_tls_is_for_the_name_not_the_address(
    certified: Callable[[str], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str | None] = []
    context = certified("media.example")
    context.sni_callback = lambda _, name, __: names.append(name)
    with HostileServer(answering(ok(b"secret")), tls=context) as server:
        assert secured(server, "media.example", monkeypatch) == b"secret"

    assert names == ["media.example"]
    assert f"Host: media.example:{server.port}\r\n".encode() in server.requests[0]


def test_another_name_in_the_certificate_is_refused(
    certified: Callable[[str], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = certified("media.example")
    with (
        HostileServer(answering(ok(b"secret")), tls=context) as server,
        pytest.raises(Refused, match="url_unreachable"),
    ):
        secured(server, "other.example", monkeypatch)

    assert server.requests == []


NAMES: list[tuple[str | None, str, str]] = [
    (None, "/a/b/clip.mp4?x=/y.mp4", "clip.mp4"),
    (None, "/", "download"),
    (None, "/%2e%2e%2f%2e%2e%2fpasswd", "passwd"),
    ('attachment; filename="film.mkv"', "/x", "film.mkv"),
    ("attachment; filename*=UTF-8''h%C3%A9%20llo.mp4", "/x", "hé llo.mp4"),
    ('attachment; filename="../../etc/passwd"', "/x", "passwd"),
    ('attachment; filename="..\\..\\boot.ini"', "/x", "boot.ini"),
    ('attachment; filename="a\x00b\u202ecod.mp4"', "/x", "abcod.mp4"),
    ('attachment; filename=".."', "/clip.mp4", "clip.mp4"),
    ("attachment", "/clip.mp4", "clip.mp4"),
    ("attachment; filename*=idna''%ff.mp4", "/clip.mp4", "clip.mp4"),
    ("attachment; filename*=undefined''x.mp4", "/clip.mp4", "clip.mp4"),
    ('attachment; filename="' + "n" * 400 + '.mp4"', "/x", "n" * 146 + ".mp4"),
    ('attachment; filename="' + "é".encode().decode("latin-1") + '.mp4"', "/x", "é.mp4"),
]


@pytest.mark.parametrize(("content_disposition", "path", "name"), NAMES)
def test_names_are_safe(content_disposition: str | None, path: str, name: str) -> None:
    assert file_name(content_disposition, path) == name
