from __future__ import annotations

from datetime import datetime
from typing import Any

Json = dict[str, Any]


def receipt(job: Json, source: Json, output: Json) -> str:
    """What went in, what came out and what it took; ``source`` and ``output`` are files."""
    queued_s = _seconds_between(job["created_at"], job["started_at"])
    taken_s = _seconds_between(job["started_at"], job["finished_at"])
    rows = {
        "job": f"{job['id']}  {job['operation']}, {job['status']} on the {job['device'] or 'cpu'}",
        "input": file_line(source),
        "output": file_line(output),
        "time": f"{taken_s:.1f} s, and {queued_s:.2f} s in the queue",
        "sha256": output["sha256"],
        "download": output["download_url"],
    }
    lines = [f"  {name:<9} {value}" for name, value in rows.items()]
    lines += [f"  {'warning':<9} {warning}" for warning in job["warnings"]]
    return "\n".join(["", "── receipt " + "─" * 61, *lines, "─" * 72, ""])


def file_line(file: Json) -> str:
    media = file["media"] or {}
    video, audio = media.get("video"), media.get("audio") or []
    facts = [" + ".join(stream["codec"] for stream in (video, *audio) if stream)]
    if video:
        facts += [f"{video['width']}x{video['height']}", f"{video['fps']:g} fps"]
    if media.get("duration_s"):
        facts.append(f"{media['duration_s']:.2f} s")
    facts.append(f"{file['size_bytes'] / 1e6:.1f} MB")
    return f"{file['name']}: {', '.join(facts)}"


def _seconds_between(begin: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds()
