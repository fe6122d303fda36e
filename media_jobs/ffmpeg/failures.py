"""Why FFmpeg failed, in words for the owner of the job: one table, read from the top."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Failure:
    """``retryable``: the same job may go well later; ``gpu``: it may go well without the GPU."""

    code: str
    title: str
    detail: str = ""
    hint: str = ""
    retryable: bool = False
    gpu: bool = False

    def to_json(self) -> dict[str, str | bool]:
        """What a tenant sees; ``gpu`` is the engine's own affair."""
        return {
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "hint": self.hint,
            "retryable": self.retryable,
        }


@dataclass(frozen=True)
class Rule:
    pattern: str
    code: str
    title: str
    hint: str = ""
    retryable: bool = False
    gpu: bool = False


TABLE: tuple[Rule, ...] = (
    Rule(
        r"Cannot load (libcuda|libnvcuvid|libnvidia-encode|nvcuda)|CUDA_ERROR|No NVENC capable|"
        r"OpenEncodeSessionEx failed|No capable devices found|cuvid.*failed|"
        r"Device creation failed|hwaccel initialisation returned error|CreateDevice.*failed",
        "gpu_unavailable",
        "The GPU could not do this",
        "The job is tried on the CPU instead.",
        gpu=True,
    ),
    Rule(
        r"No space left on device|File too large|Disk quota exceeded|"
        r"Error writing trailer.*(space|large)",
        "storage_full",
        "There was no room for the output",
        "Try again when there is space, or ask for a smaller output.",
        retryable=True,
    ),
    Rule(
        r"Cannot allocate memory|Out of memory|malloc of size \d+ failed|std::bad_alloc|"
        r"pthread_create.*(failed|unavailable)|Resource temporarily unavailable",
        "out_of_memory",
        "The job needed more memory than it may use",
        "Ask for a smaller size, fewer inputs or a faster preset.",
    ),
    Rule(
        r"Protocol .* not on whitelist|not on whitelist|Unsafe file name|Format not on whitelist",
        "protocol_refused",
        "The input points to other files or addresses, which is not allowed",
        "Give the media itself, not a playlist or a list of files.",
    ),
    Rule(
        r"End of file|partial file|truncat",
        "input_truncated",
        "The input ends too early",
        "Upload the file again: a part of it is missing.",
    ),
    Rule(
        r"Stream map '[^']*' matches no streams|matches no streams|does not contain any stream|"
        r"Output file .* does not contain",
        "no_such_stream",
        "The input has no stream of the kind that is needed",
    ),
    Rule(
        r"Unknown encoder|Encoder not found|Unknown decoder|Decoder .* not found|no decoder found|"
        r"Unsupported codec|Could not find tag for codec|not currently supported in container|"
        r"Decoding requested, but no decoder",
        "unsupported_codec",
        "This codec can't be read or written here",
        "Ask for another codec or container.",
    ),
    Rule(
        r"No such filter|Option '[^']*' not found|Unrecognized option|Error initializing filter|"
        r"Error reinitializing filters|Invalid argument.*filter",
        "filter_failed",
        "A filter could not work with these values",
        "Look at the job's log for the filter that complains.",
    ),
    Rule(
        r"Invalid data found when processing input|could not find codec parameters|"
        r"Failed to read frame size|Error opening input|unknown format|moov atom not found",
        "input_unreadable",
        "The input is not readable as media",
        "It is cut off, or not what its name says: check that it plays, and upload it again.",
    ),
)

DEADLINE = Failure(
    "deadline_exceeded",
    "The job took longer than it may",
    "FFmpeg was stopped at the time limit",
    "Shorten the input, choose a faster preset or raise the limit.",
)

INTERNAL = Failure(
    "internal_error",
    "Something went wrong on our side",
    "the job could not be carried out; the operators can see why",
    "Try again; if it happens again, tell the operators the job's id.",
    retryable=True,
)

STORAGE_FULL = Failure(
    "storage_full",
    "There was no room for the output",
    "the disk is full",
    "Try again when there is space, or ask for a smaller output.",
    retryable=True,
)

_SIGNALS = {
    9: Failure(
        "killed",
        "FFmpeg was killed",
        "the process was killed from outside, mostly for using too much memory",
        "Ask for a smaller size or fewer inputs.",
        retryable=True,
    ),
    24: DEADLINE,
    25: Failure(
        "storage_full",
        "There was no room for the output",
        "the output grew over the largest size that a file may have",
        "Ask for a smaller output.",
    ),
}

_WORD = re.compile(r"\[(?:error|fatal|panic)\]\s*(.*)")


def classify(stderr: str, returncode: int) -> Failure:
    """Find the reason in what was printed; the exit status alone says next to nothing.

    A signal is a negative status (Python's way) or 128 and more (a shell's).
    """
    detail = reason(stderr)
    for rule in TABLE:
        if re.search(rule.pattern, stderr, re.IGNORECASE):
            return Failure(
                rule.code, rule.title, detail, rule.hint, retryable=rule.retryable, gpu=rule.gpu
            )
    signal = -returncode if returncode < 0 else returncode - 128
    if signal in _SIGNALS:
        return _SIGNALS[signal]
    return Failure(
        "ffmpeg_failed",
        "FFmpeg failed",
        detail or f"it ended with status {returncode}",
        "The job's log has all that FFmpeg said.",
    )


def reason(stderr: str) -> str:
    """The first complaint: later ones mostly follow from it."""
    complaints = _WORD.findall(stderr)
    if complaints:
        return str(complaints[0]).strip()[:500]
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1][:500] if lines else ""


def clean(stderr: str, folder: str) -> str:
    """Remove the job's private folder and every other absolute path; relative names stay."""
    without = stderr.replace(folder.rstrip("/") + "/", "") if folder.strip("/") else stderr
    return re.sub(r"(?<![\w.:/-])/(?:[\w.+@-]+/)+([\w.+@-]*)", r"\1", without)
