from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from decimal import Decimal
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

LONGEST_HOST_NAME = 64  # as Linux has it (HOST_NAME_MAX)
_SWITCHED = dict.fromkeys(("1", "on", "true", "yes", "y", "ok"), True) | dict.fromkeys(
    ("0", "off", "false", "no", "n"), False
)
CURRENCY = re.compile("[A-Z]{3}")
SOCKET = re.compile(r"/.+|(\[[0-9A-Fa-f:]+\]|[^:/]+):[0-9]{1,5}")
SYSLOG = re.compile(r"unix:///.+|(udp|tcp)://[^/@]+:[0-9]{1,5}")
_HOST_NAME = re.compile(rf"\w[\w.-]{{0,{LONGEST_HOST_NAME - 1}}}", re.ASCII)


MOST = 2**31 - 1
"""What a column of numbers holds."""
LONGEST_DAYS = 36_500


class Environment(environ.Env):  # type: ignore[misc]  # django-environ has no types
    """Reads environment variables by kind; a wrong value is `ImproperlyConfigured`, named."""

    def get_value(self, var: str, *asked: Any, **named: Any) -> Any:
        """What is set to nothing is not set, as compose files write it; but a list is empty."""
        default = named.get("default", self.NOTSET)
        if self.ENVIRON.get(var) == "" and default is not self.NOTSET:
            return [] if isinstance(default, list) else default
        try:
            return super().get_value(var, *asked, **named)
        except ValueError as error:
            raise ImproperlyConfigured(f"{var} is no number that can be read") from error

    def switch(self, name: str) -> bool:
        """Read what is off unless it is switched on."""
        value = str(self(name, default="off")).strip().lower()
        if value not in _SWITCHED:
            raise ImproperlyConfigured(f"{name} is {value!r}; it must be on or off")
        return _SWITCHED[value]

    def port(self, name: str, default: int) -> int:
        value = self.positive(name, default)
        if value >= 1 << 16:
            raise ImproperlyConfigured(f"{name} is {value}; ports end at 65535")
        return value

    def web_address(self, name: str, default: str) -> str:
        """Read where browsers find the site, without a slash at its end."""
        value = str(self(name, default=default)).rstrip("/")
        try:
            parts = urlsplit(value)
            is_one = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
        except ValueError:  # half of an IPv6 address, or a port that is none
            is_one = False
        if not is_one:
            raise ImproperlyConfigured(f"{name} is {value!r}; it is like https://media.example.org")
        return value

    def database(self, name: str) -> dict[str, Any]:
        """Read a database's address, of which nothing is told: a password may be in it."""
        try:
            return dict(self.db_url(name))
        except ValueError as error:
            raise ImproperlyConfigured(f"{name} is no database's address") from error

    def whole(self, name: str, default: int, *, least: int = 0, most: int = MOST) -> int:
        value = int(self.int(name, default=default))
        if not least <= value <= most:
            raise ImproperlyConfigured(f"{name} is {value}; it must be from {least} to {most}")
        return value

    def positive(self, name: str, default: int) -> int:
        return self.whole(name, default, least=1)

    def days(self, name: str, default: int, *, least: int = 1) -> int:
        """Read how many days: no more than a time can be ahead."""
        return self.whole(name, default, least=least, most=LONGEST_DAYS)

    def seconds(self, name: str, default: float) -> float:
        value = float(self.float(name, default=default))
        if not 0 <= value <= MOST:
            raise ImproperlyConfigured(f"{name} is {value:g}; it must be from 0 to {MOST}")
        return value

    def not_negative(self, name: str, default: int | None) -> int | None:
        value: int | None = self.int(name, default=default)
        if value is not None and value < 0:
            raise ImproperlyConfigured(f"{name} is {value}; it must be at least 0")
        return value

    def matching(self, name: str, pattern: re.Pattern[str], form: str, *, default: str = "") -> str:
        """Read text of one ``form``, told in words; empty where it is not set."""
        value = str(self(name, default=default))
        if value and not pattern.fullmatch(value):
            raise ImproperlyConfigured(f"{name} is {value!r}; it is {form}")
        return value

    def choice(self, name: str, default: str, *choices: str) -> str:
        value = str(self(name, default=default)).strip().lower()
        if value not in choices:
            listed = ", ".join(choices)
            raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of {listed}")
        return value

    def count_or(self, name: str, **words: int | None) -> int | None:
        """Read a number of at least 1, or what one of ``words`` stands for; the first if unset."""
        value = str(self(name, default=next(iter(words)))).strip().lower()
        if value in words:
            return words[value]
        if not _is_amount(value):
            listed = " or ".join(words)
            raise ImproperlyConfigured(f"{name} is {value!r}; it is a number from 1, or {listed}")
        return int(value)

    def host_name(self, name: str) -> str:
        """Read what a host is called, in rows and in names of files; empty where it is not set."""
        value = str(self(name, default=""))
        if value and not _HOST_NAME.fullmatch(value):
            raise ImproperlyConfigured(
                f"{name} is {value!r}; it has up to {LONGEST_HOST_NAME} letters, digits, . _ and -"
            )
        return value

    def debug(self, name: str, *hosts: str) -> bool:
        """Read what shows code and secrets to whoever asks: only to this machine.

        ``hosts`` are where the site listens, and what it is called.
        """
        is_on = self.switch(name)
        if is_on and not all(map(_is_this_machine, hosts)):
            raise ImproperlyConfigured(
                f"{name} shows code and secrets to whoever asks: it is refused unless "
                "FFAPI_BIND and PUBLIC_BASE_URL are this machine (127.0.0.1, localhost)"
            )
        return is_on

    def slots_by_lane(self, name: str) -> dict[str, int]:
        """Read ``cpu:2,gpu:1``: how many slots of each lane this host serves."""
        lanes = {}
        for part in self.list(name, default=[]):
            lane, _, slots = part.strip().partition(":")
            if not re.fullmatch(r"[a-z]{1,16}", lane) or not re.fullmatch("[0-9]{1,4}", slots):
                raise ImproperlyConfigured(f"{name} has {part!r}; it is a list like cpu:2,gpu:1")
            lanes[lane] = int(slots)
        return lanes

    def amounts(self, name: str, **usual: int) -> dict[str, int]:
        """Read ``uploads:32,imports:8``: how many of what; of what is not named, the usual."""
        found = dict(usual)
        for part in self.list(name, default=[]):
            what, _, amount = part.strip().partition(":")
            if what not in usual or not _is_amount(amount):
                known = ", ".join(usual)
                raise ImproperlyConfigured(
                    f"{name} has {part!r}; it is a list like {next(iter(usual))}:5 of {known}"
                )
            found[what] = int(amount)
        return found

    def networks(self, name: str) -> list[Any]:
        """Read a list of addresses and networks: ``10.0.0.5,192.168.0.0/24,fd00::/8``."""
        try:
            return [ip_network(each.strip()) for each in self.list(name, default=[])]
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {error}") from error

    def origin(self, name: str) -> str:
        """Read an origin: scheme, host and port where it is not the scheme's, and nothing else."""
        value = str(self(name, default="")).rstrip("/").lower()
        if value and not re.fullmatch(r"https?://[a-z0-9.-]+(:\d+)?", value):
            raise ImproperlyConfigured(f"{name} is {value!r}; it is like https://media.example.org")
        return value

    def prices(self, name: str) -> dict[str, Decimal]:
        """Read ``cpu_hour:0.05,output_gb:0.02``: what a unit costs."""
        found = {}
        for part in self.list(name, default=[]):
            unit, _, price = part.strip().partition(":")
            if unit not in {"job", "cpu_hour", "input_gb", "output_gb"}:
                raise ImproperlyConfigured(
                    f"{name} has {part!r}; it is a list like cpu_hour:0.05,output_gb:0.02 "
                    "of job, cpu_hour, input_gb and output_gb"
                )
            if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", price):
                raise ImproperlyConfigured(f"{name} has {part!r}; a price is a number like 0.05")
            found[unit] = Decimal(price)
        return found


def _is_amount(text: str) -> bool:
    return re.fullmatch("[0-9]{1,10}", text) is not None and 1 <= int(text) < 2**31


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def secret(name: str, *, keep_in: Path | None) -> str:
    """Read a secret from ``NAME``, or from the file that ``NAME_FILE`` names.

    Without either, one is made and kept under ``keep_in`` (mode 0600); where ``keep_in`` is None
    several hosts must agree on it, so the start stops instead.
    """
    if value := os.environ.get(name):
        return value
    if path := os.environ.get(f"{name}_FILE"):
        try:
            value = Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ImproperlyConfigured(f"{name}_FILE can't be read: {error}") from error
        if not value:
            raise ImproperlyConfigured(f"{name}_FILE names a file without a secret: {path}")
        return value
    if keep_in is None:
        raise ImproperlyConfigured(f"set {name} or {name}_FILE: with DATABASE_URL it can't be made")
    return _kept(keep_in / name.lower())


def secret_list(name: str, *, keep_in: Path | None) -> list[str]:
    """Read one secret or several, with commas between them. An empty one would be anybody's."""
    found = secret(name, keep_in=keep_in).split(",")
    if not all(found):
        raise ImproperlyConfigured(f"{name} has nothing where a secret should be, at a comma")
    return found


def _kept(path: Path) -> str:
    with suppress(FileNotFoundError):
        return _read(path)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = path.with_suffix(f".{secrets.token_hex(4)}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(file)  # or a loss of power may leave the name and nothing in it
    try:
        with suppress(FileExistsError):  # another process was first: then its secret holds
            os.link(made, path)
    finally:
        made.unlink()
    return _read(path)


def _read(path: Path) -> str:
    if secret := path.read_text():
        return secret
    raise ImproperlyConfigured(f"{path} is empty: put back the secret that was in it")


def mail_server(env: environ.Env, name: str) -> dict[str, Any]:
    """Read a mail server, ``smtp+tls://user:password@host:587``, into Django's settings of it."""
    try:
        read = dict(env.email_url(name, default="dummymail://"))
    except (ValueError, ImproperlyConfigured) as error:
        raise ImproperlyConfigured(f"{name} is not a mail server's address: {error}") from error
    usual = 465 if "EMAIL_USE_SSL" in read else 587 if "EMAIL_USE_TLS" in read else 25
    return read | {"EMAIL_PORT": read["EMAIL_PORT"] or usual}
