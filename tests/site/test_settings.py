"""Settings that guard something: a wrong value stops the start and is named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from tests.harness.server import ROOT

SHOW = "from ffapi_site import settings as s; print(repr({}))"


@dataclass(frozen=True)
class Told:
    returncode: int
    stdout: str
    stderr: str


class Read(Protocol):
    """Show an expression of the settings, with some of the environment changed."""

    def __call__(self, what: str, **environment: str) -> Told: ...


@pytest.fixture(scope="module")
def read() -> Iterator[Read]:
    command = [sys.executable, "-m", "tests.site.settings_reader"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        asking, telling = reader.stdin, reader.stdout
        assert asking is not None
        assert telling is not None

        def ask(what: str, **environment: str) -> Told:
            asked = {"code": SHOW.format(what), "environment": os.environ | environment}
            asking.write(json.dumps(asked) + "\n")
            asking.flush()
            return Told(**json.loads(telling.readline()))

        yield ask


def test_it_works(read: Read) -> None:
    shown = read(
        "(s.TRUSTED_PROXIES, s.ALLOWED_HOSTS, s.CONTENT_SECURITY_POLICY['DIRECTIVES'])",
        TRUSTED_PROXIES="10.0.0.5, 192.168.0.0/24,fd00::/8",
        MEDIA_ORIGIN="https://Media.Example.org/",
    )
    assert "IPv4Network('10.0.0.5/32'), IPv4Network('192.168.0.0/24')" in shown.stdout
    assert "IPv6Network('fd00::/8')" in shown.stdout
    assert "'media.example.org'" in shown.stdout
    assert """'media-src': ["'self'", 'https://media.example.org']""" in shown.stdout


def test_passwords_are_kept_by_argon2_alone(read: Read) -> None:
    """Tests are given a quicker hash: see ``conftest``."""
    shown = read("s.PASSWORD_HASHERS")
    assert shown.stdout.strip() == "['django.contrib.auth.hashers.Argon2PasswordHasher']"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MEDIA_ORIGIN", "media.example.org"),
        ("MEDIA_ORIGIN", "https://media.example.org/path"),
        ("MEDIA_ORIGIN", "https://user@media.example.org"),
        ("MEDIA_ORIGIN", "https://media.example.org; script-src *"),
        ("MEDIA_ORIGIN", "javascript:alert(1)"),
        ("MEDIA_ORIGIN", "http://localhost:8000"),
        ("TRUSTED_PROXIES", "proxy"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("LOGIN_FAILURE_LIMIT", "0"),
        ("SESSION_IDLE_MINUTES", "0"),
        ("REGISTRATION", "everybody"),
        ("EMAIL_URL", "pigeon://loft"),
        ("OIDC_ISSUER", "login.example.org"),
        ("RATE_LIMIT_ADDRESS_REQUESTS_PER_MINUTE", "0"),
        ("MAX_CONCURRENT_JOBS_PER_TENANT", "0"),
        ("MAX_CONCURRENT_JOBS_PER_TENANT", "many"),
        ("MAX_CONCURRENT_JOBS_PER_TENANT", "9" * 5000),
        ("AT_ONCE", f"uploads:{'9' * 5000}"),
        ("LANES", f"cpu:{'9' * 5000}"),
        ("WORKERS", "many"),
        ("PORT", "65536"),
        ("ALLOW_PRIVATE_IPS", "maybe"),
        ("PUBLIC_BASE_URL", "localhost"),
        ("PUBLIC_BASE_URL", "ftp://media.example.org"),
        ("PUBLIC_BASE_URL", "http://[media.example.org"),
        ("SECRET_KEY_FILE", "/nowhere"),
        ("SECRET_KEY_FILE", "/dev/null"),
        ("API_KEY_PEPPER_FILE", "/dev/null"),
        ("ENCRYPTION_KEYS", "one,,another"),
        ("ENCRYPTION_KEYS", ",another"),
        ("PUBLIC_BASE_URL", "http://[::1"),
        ("PUBLIC_BASE_URL", "http://media.example.org:99999"),
        ("DATABASE_URL", "postgres://ffapi@localhost:many/ffapi"),
        ("RETENTION_DAYS", "99999999"),
        ("JOB_MAX_RETRIES", "40000"),
        ("WORKERS", "9" * 5000),
        ("JOB_RETRY_DELAY", "soon"),
        ("JOB_RETRY_DELAY", "-1"),
        ("JOB_MAX_RETRIES", "-1"),
        ("HOST_MEMORY_MB", "-1"),
        ("FFMPEG_THREADS", "-1"),
        ("FFAPI_HOST_NAME", "x" * 65),
        ("FFAPI_HOST_NAME", "rack/1"),
    ],
)
def test_a_wrong_value_stops_the_start(read: Read, name: str, value: str) -> None:
    refused = read("s.PORT", **{"PUBLIC_BASE_URL": "http://localhost:8000", name: value})
    assert refused.returncode != 0
    assert name in refused.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("FFAPI_DATA_DIR", "s.DATA_DIR"),
        ("PORT", "s.PORT"),
        ("FFAPI_BIND", "s.BIND"),
        ("REQUIRE_DURATION_LIMIT", "s.REQUIRE_DURATION_LIMIT"),
    ],
)
def test_what_is_set_to_nothing_is_not_set(
    read: Read, name: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = read(what, **{name: ""})
    monkeypatch.delenv(name, raising=False)
    assert empty.stdout == read(what).stdout != ""


def test_a_made_secret_that_was_lost_is_not_taken_for_one(read: Read, tmp_path: Path) -> None:
    """As a loss of power may leave it: an empty pepper is one that anybody knows."""
    made = {"FFAPI_DATA_DIR": str(tmp_path), "API_KEY_PEPPER": ""}
    assert len(read("s.API_KEY_PEPPER", **made).stdout) > 40
    (tmp_path / "secrets" / "api_key_pepper").write_text("")
    refused = read("s.API_KEY_PEPPER", **made)
    assert refused.stdout == ""
    assert "api_key_pepper is empty" in refused.stderr


def test_a_list_that_is_set_to_nothing_is_empty(read: Read) -> None:
    assert read("s.BLOCKED_FILE_EXTENSIONS", BLOCKED_FILE_EXTENSIONS="").stdout == "[]\n"


@pytest.mark.parametrize(
    "place",
    [
        {"FFAPI_BIND": "0.0.0.0"},  # noqa: S104 -- that is what is refused
        {"FFAPI_BIND": "::"},
        {"FFAPI_BIND": "192.168.0.7"},
        {"PUBLIC_BASE_URL": "https://media.example.org"},
    ],
)
def test_debug_pages_are_for_this_machine_alone(read: Read, place: dict[str, str]) -> None:
    assert "DEBUG" in read("s.DEBUG", DEBUG="1", **place).stderr
    assert read("s.DEBUG", **place).stdout == "False\n"


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1", "localhost"])
def test_debug_pages_are_there_for_this_machine(read: Read, bind: str) -> None:
    assert read("s.DEBUG", DEBUG="1", FFAPI_BIND=bind).stdout == "True\n"


def test_cookies_are_secure_with_https(read: Read) -> None:
    what = "(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0)"
    https = read(what, PUBLIC_BASE_URL="https://media.example.org")
    assert https.stdout == "(True, True, True)\n"
