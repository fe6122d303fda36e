"""How the admin writes what jobs hold: readable, and without what addresses keep secret."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from django.contrib.admin.utils import quote
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Tenant
from storage.models import File

# Signed addresses and passwords: the part that opens the door is left out.
_SIGNED = re.compile(r"(https?://)(?:[^\s/@\"]*@)?([^\s?#\"]*)(?:[?#][^\s\"]*)?")


def _without_secrets(found: re.Match[str]) -> str:
    more = "?…" if "?" in found[0] or "#" in found[0] else ""
    return f"{found[1]}{found[2]}{more}"


def address(text: str) -> str:
    """Leave out an address's query and password."""
    return _SIGNED.sub(_without_secrets, text)


def as_json(value: Any) -> SafeString:
    if not value:
        return SafeString("-")
    text = address(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))
    return format_html('<pre class="ffapi-text">{}</pre>', text)


def as_text(text: str) -> SafeString:
    if not text:
        return SafeString("-")
    return format_html('<pre class="ffapi-text">{}</pre>', address(text))


def command_lines(receipt: dict[str, Any]) -> str:
    """The commands of a receipt as a shell would take them, with how each ended."""
    return "\n\n".join(
        f"{shlex.join(map(str, each['argv']))}\n"
        f"# exit status {each['returncode']}, {each['seconds']} s"
        for each in receipt.get("commands", [])
    )


def tenant_link(tenant: Tenant) -> SafeString:
    return _link("admin:accounts_tenant_change", tenant.pk, tenant.name)


def file_link(file: File | None, file_id: str | None) -> SafeString:
    """A file that was deleted is still named, without a link."""
    if file is None:
        return SafeString("-") if file_id is None else format_html("{} (deleted)", file_id)
    return _link("admin:storage_file_change", file.pk, file.name)


def job_link(job_id: str) -> SafeString:
    return _link("admin:media_jobs_job_change", job_id, job_id)


def _link(view: str, pk: str, text: str) -> SafeString:
    at = reverse(view, args=[quote(pk)])
    return format_html('<a class="ffapi-link" href="{}">{}</a>', at, text)
