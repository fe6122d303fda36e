"""A file on its way in: a place and room for it, then a look at it, then a row."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.models import ApiKey, Tenant
from accounts.quotas import bounds, reservations
from ffapi_site.lib import netguard, ongoing
from ffapi_site.lib.database_release import release_connections
from ffapi_site.lib.problems import at
from ffapi_site.lib.url_policy import url_policy
from storage import hooks, store
from storage.intake.checks import check
from storage.intake.landing import Landing, landing, too_large
from storage.intake.sniff import Kind
from storage.models import File
from storage.models.file import Origin
from storage.names import clean_name

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sender:
    """Whose file it will be, and the key that it is sent with; a person has none."""

    tenant: Tenant
    api_key: ApiKey | None = None

    @property
    def most_bytes(self) -> int:
        return bounds.of(self.tenant, self.api_key).file_bytes

    @property
    def api_key_id(self) -> str | None:
        return self.api_key.pk if self.api_key else None


@contextmanager
def place_for_upload(
    sender: Sender, announced_bytes: int, *, framing_bytes: int = 0, keeps_storage: bool = True
) -> Iterator[Landing]:
    """Give a place for what a request brings; the room kept for it goes with the place.

    ``announced_bytes`` is the length of the body, of which ``framing_bytes`` may be no part of the
    file. Raises a `Problem` where it is too large, or where there is no place or room for it.
    """
    most_bytes = sender.most_bytes
    if announced_bytes > most_bytes + framing_bytes:
        raise too_large(most_bytes)
    tenant_id, hold = sender.tenant.pk, ""
    with ongoing.UPLOADS.one_of(tenant_id):
        if keeps_storage:
            hold = reservations.hold_storage(tenant_id, sender.api_key_id, announced_bytes)
        try:
            release_connections()  # an upload takes as long as the client's line
            with landing(announced_bytes, most_bytes=most_bytes, hold=hold) as place:
                yield place
        finally:
            reservations.drop_hold(hold)


@dataclass(frozen=True)
class Arrival:
    """Bytes in their landing place, and what is said of them by whoever sent them.

    ``pointer`` names the field that they came by, ``sha256`` is theirs as they came.
    """

    sender: Sender
    place: Landing
    name: str
    declared_type: str
    origin: Origin
    pointer: str
    sha256: str

    def take_in(
        self, *, name: str = "", tags: Iterable[str] = (), metadata: dict[str, Any] | None = None
    ) -> File:
        """Check and store the bytes; nobody sees the file before ``store.publish``.

        ``name``, where one is given, is clean already. Raises `Invalid` for what is not taken, and
        `Unavailable` where a virus scan is wanted and can't be had. The bytes are gone from their
        place afterwards unless what ``check`` does is raised.
        """
        path, tenant_id = self.place.path, self.sender.tenant.pk
        with at(self.pointer):
            name = name or clean_name(self.name)
            sniffed = check(path, name=name, declared_type=self.declared_type)
            media = hooks.inspect(path, tenant_id) if sniffed.kind is Kind.MEDIA else None
        file = store.add(
            tenant_id,
            path,
            name=name,
            origin=self.origin,
            content_type=sniffed.content_type,
            media=media,
            tags=tags,
            metadata=metadata,
            api_key_id=self.sender.api_key_id,
            hold=self.place.hold,
            sha256=self.sha256,
        )
        return _logged(file)


@contextmanager
def fetched(sender: Sender, url: str) -> Iterator[Arrival]:
    """Fetch the bytes that an address has; they are there as long as the context is.

    Raises `Invalid` at ``/url`` where the address does not give them.
    """
    with ongoing.IMPORTS.one_of(sender.tenant.pk):
        release_connections()  # a download takes as long as the far end likes
        with landing(0, most_bytes=sender.most_bytes) as place:
            with at("/url"), place.create() as target:
                found = netguard.download(
                    url,
                    target,
                    policy=url_policy(),
                    max_bytes=place.most_bytes,
                    timeout_s=settings.DOWNLOAD_TIMEOUT_SECONDS,
                )
            said = (found.name, found.content_type or "", Origin.URL, "/url")
            yield Arrival(sender, place, *said, found.sha256)


def take_output(  # noqa: PLR0913 -- what a file is said to be, by name
    tenant_id: str,
    api_key_id: str | None,
    path: Path,
    *,
    name: str,
    media: dict[str, Any] | None,
    watch: Callable[[], object],
) -> File:
    """Store what a job made and its worker verified; nobody sees it before ``store.publish``.

    ``watch`` is called at least twice a second; what it raises comes through.
    """
    file = store.add(
        tenant_id,
        path,
        name=name,
        origin=Origin.JOB,
        media=media,
        api_key_id=api_key_id,
        watch=watch,
    )
    return _logged(file)


def _logged(file: File) -> File:
    facts = {"action": "file.add", "tenant": file.tenant_id, "file": file.pk}
    logger.info("file stored", extra=facts | {"bytes": file.size_bytes})
    return file
