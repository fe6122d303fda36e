"""Template filters that write quantities for people."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from media_jobs.models import Job, JobInput

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """Write a length of time: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``1 h 02 min``."""
    if not isinstance(seconds, int | float):
        return "-"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


@register.filter
def seconds_of(milliseconds: int) -> float:
    return milliseconds / 1000


@register.filter
def words(code: str) -> str:
    """Write a stable name for people: ``audio/noise-reduction`` as ``Audio noise reduction``."""
    text = code.replace("/", " ").replace("-", " ").replace("_", " ")
    return text[:1].upper() + text[1:]


@register.filter
def ago(since: str) -> str:
    """Shorten what ``timesince`` says to its largest unit."""
    largest = since.split(",", maxsplit=1)[0]
    return "just now" if largest.startswith("0") else f"{largest} ago"


@register.filter
def run_time(job: Job) -> float | None:
    """Seconds from a job's first start to its end."""
    if job.started_at is None or job.finished_at is None:
        return None
    return (job.finished_at - job.started_at).total_seconds()


@register.filter
def input_name(source: JobInput) -> str:
    """What a person calls an input: the file's name, else the last part of the address."""
    if source.url:
        return urlsplit(source.url).path.rsplit("/", 1)[-1] or source.url
    return source.file.name if source.file else f"{source.file_id} (deleted)"


@register.filter
def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


@register.filter
def message_of(warning: Any) -> str:
    """A warning is a sentence, or an object that holds one beside its code."""
    return str(warning.get("detail", "")) if isinstance(warning, dict) else str(warning)


@register.filter
def marked(text: str) -> SafeString:
    """Show what the declarations put between double backticks as code."""
    parts = text.split("``")
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", part) if place % 2 else part,)
            for place, part in enumerate(parts)
        ),
    )
