"""Why FFmpeg failed, in words for the owner of the job: one table, read from the top.

What is looked through here is FFmpeg's own words (``words.own``), a message a line: in what else it
prints a tag of the input may say anything.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from media_jobs.ffmpeg.advice import LIGHTER, OTHER_CODEC, SMALLER, Advice, written


@dataclass(frozen=True)
class Failure:
    """``retryable``: the same job may go well later; ``gpu``: it may go well without the GPU.

    ``retry_after_s`` is how long to wait at least, where somebody said so.
    """

    code: str
    title: str
    detail: str = ""
    hint: str = ""
    retryable: bool = False
    gpu: bool = False
    retry_after_s: float = 0.0
    advice: Advice = ()

    def to_json(self, parameters: Collection[str] = ()) -> dict[str, str | bool]:
        """What a tenant sees who gave an operation with these ``parameters``."""
        return {
            "code": self.code,
            "title": self.title,
            "detail": self.detail,
            "hint": written(self.hint, self.advice, parameters),
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
    advice: Advice = ()


def _ends(*reasons: str) -> str:
    """The system's own word for what went wrong: FFmpeg says it last, whatever it speaks of."""
    return rf"(?:[:(] ?|^)(?:{'|'.join(reasons)})[.)]{{0,2}}$"


_LOOK_AT_THE_LOG = "The job's log has all that FFmpeg said."
_FULL_DISK = _ends("No space left on device", "Disk quota exceeded")

# What the encoders and decoders of GPUs say in FFmpeg 5, 7 and 9; the words come from nvenc.c,
# nvdec.c, hwcontext_cuda.c, qsv.c, qsvenc.c, hwcontext_vaapi.c, vaapi_encode.c and
# videotoolboxenc.c. First what a job can't help: too many sessions, no memory; then what of the
# job the device does not know; last a device that is not there or broke.
_GPU: tuple[Rule, ...] = (
    Rule(
        r"OpenEncodeSessionEx failed: (out of memory|incompatible client key|client key)|"
        r"the number of (concurrent|encode) sessions|not enough buffer \(|"
        r"Try -allow_sw 1\. The hardware encoder may be busy",
        "gpu_busy",
        "The GPU encodes as many films as it can already",
        gpu=True,
    ),
    Rule(
        r"CUDA_ERROR_OUT_OF_MEMORY|InitializeEncoder failed: out of memory|"
        r"CreateInputBuffer failed|CreateBitstreamBuffer failed|No decoder surfaces left|"
        r"failed to allocate memory \(-4\)|: 2 \(resource allocation failed\)|"
        r"Failed to create (VAAPI surface pool|encode surface)",
        "gpu_out_of_memory",
        "The GPU has no memory left for this",
        gpu=True,
    ),
    Rule(
        r"InitializeEncoder failed: (invalid param|unsupported param|unsupported device)|"
        r"(10 bit encode|YUV444P|Lossless encoding|Codec) not supported|"
        r"(Width|Height|Frame Dimension) (\d+ exceeds|less than the minimum supported)|"
        r"Provided device doesn't support required NVENC features|"
        r"(invalid|incompatible|unsupported) video param|Selected ratecontrol mode is unsupported|"
        r"some encoding parameters are not supported by the QSV runtime|"
        r"No usable encoding (profile|entrypoint) found|Hardware does not support image size|"
        r"Driver does not support (any RC modes|any rate|some wanted|\w+ RC mode|encoding)|"
        r"Compatible profile .{0,200} is not supported by driver|RT format .{0,200} not supported|"
        r"Encoding entrypoint not found|Encoding profile not found|"
        r"not supported for hardware decode|Invalid output format \S{1,40} for hwframe download|"
        r"Impossible to convert between the formats supported by the filter "
        r".{0,200}(cuda|hw|vaapi|qsv)|"
        r"Unsupported (input|conversion).{0,200}(cuda|scale_cuda)|"
        r"Unsupported pixel format.{0,200}videotoolbox",
        "gpu_unsupported",
        "The GPU does not know this format or size",
        gpu=True,
    ),
    Rule(
        r"Cannot load (lib|nv)?(cuda|nvcuda|nvcuvid|nvidia-encode|nvEncodeAPI)|"
        r"Could not dynamically load CUDA|CUDA_ERROR|cu->cu\w{1,60}\(.{0,200}failed|"
        r"cu\w{1,60}\(.{0,200}\) failed ->|"
        r"No (NVENC|CUDA) capable|No capable devices found|OpenEncodeSessionEx failed|"
        r"Driver does not support the required nvenc API|minimum required Nvidia driver|"
        r"Failed to (query nvenc max version|create nvenc instance)|EncodePicture failed|"
        r"Failed locking (nvenc input|bitstream) buffer|cuvid.{0,200}failed|"
        r"(initializing|creating|querying) (an internal |a child |an |a )?MFX session|"
        r"Error (during|submitting).{0,200}(lost device|device failed|GPU hang|device operation)|"
        r"Error initializing the encoder|"
        r"No VA display found|Cannot open a VA display|Failed to open a VA display|"
        r"Failed to (initialise VAAPI|create encode pipeline|begin picture|end picture)|"
        r"cannot create compression session|Error encoding frame: -\d|"
        r"(Hardware device|Device) (setup|creation) failed|No device available for decoder|"
        r"Failed to set value '\S{1,200}' for option '(init_hw_device|vaapi_device)'|"
        r"hwaccel initialisation returned error|hardware accelerator failed to decode|"
        r"A hardware (device|frames) reference is required|CreateDevice.{0,200}failed",
        "gpu_unavailable",
        "The GPU could not do this",
        gpu=True,
    ),
)

TABLE: tuple[Rule, ...] = (
    *_GPU,
    Rule(
        _ends("File too large"),
        "output_too_large",
        "The output grew larger than a file may be",
        "Shorten the input.",
        advice=SMALLER,
    ),
    Rule(
        _FULL_DISK,
        "storage_full",
        "There was no room for the output",
        "Try again when there is space.",
        retryable=True,
    ),
    Rule(
        _ends("Cannot allocate memory", "Out of memory", "Resource temporarily unavailable")
        + r"|malloc of size \d+ failed|pthread_create.{0,200}(failed|unavailable)",
        "resource_limit",
        "The job needed more memory than it may use",
        "Give a smaller input.",
        advice=LIGHTER,
    ),
    Rule(
        r"not on whitelist|Unsafe file name",
        "protocol_refused",
        "The input points to other files or addresses, which is not allowed",
        "Give the media itself, not a playlist or a list of files.",
    ),
    Rule(
        "moov atom not found",
        "input_unreadable",
        "The input is not readable as media",
        "It has no index: the recording was not finished, it is cut off, or no film at all.",
    ),
    Rule(
        _ends("End of file", "partial file") + "|truncat",
        "input_truncated",
        "The input ends too early",
        "Upload the file again: a part of it is missing.",
    ),
    Rule(
        r"Stream map '[^']*' matches no streams|matches no streams|does not contain any stream|"
        r"Output file .{0,200} does not contain",
        "no_such_stream",
        "The input has no stream of the kind that is needed",
    ),
    Rule(
        r"Unknown encoder|Encoder not found|Unknown decoder|Decoder .{0,200} not found|"
        r"no decoder found|"
        r"Unsupported codec|Could not find tag for codec|not currently supported in container|"
        r"Decoding requested, but no decoder",
        "unsupported_codec",
        "This codec can't be read or written here",
        "Convert the source to MP4 with H.264 and AAC first.",
        advice=OTHER_CODEC,
    ),
    Rule(
        r"No such filter|Option '[^']*' not found|Unrecognized option|Error initializing filter|"
        r"Error reinitializing filters|Invalid argument.{0,200}filter",
        "filter_failed",
        "A filter could not work with these values",
        "Look at the job's log for the filter that complains.",
    ),
    Rule(
        r"Invalid data found when processing input|could not find codec parameters|"
        r"Failed to read frame size|Error opening input|unknown format",
        "input_unreadable",
        "The input is not readable as media",
        "It is cut off, or not what its name says: check that it plays, and upload it again.",
    ),
    Rule(r"\[panic\]", "ffmpeg_failed", "FFmpeg failed", _LOOK_AT_THE_LOG),
)

_TABLE = tuple((re.compile(rule.pattern, re.IGNORECASE | re.MULTILINE), rule) for rule in TABLE)
_NO_MEMORY = re.compile(r"^x26[45] \[error\]: malloc of size \d{1,20} failed$", re.MULTILINE)
# SIGXCPU: sent by ticks, when a little less than the limit may have been used.
_NO_CPU_TIME = re.compile(r"^(?:\[info\] )?Exiting normally, received signal 24\.$", re.MULTILINE)
_NO_ROOM = re.compile(_FULL_DISK, re.IGNORECASE | re.MULTILINE)

DEADLINE = Failure(
    "deadline_exceeded",
    "The job took longer than it may",
    "FFmpeg was stopped at the time limit",
    "Shorten the input, or ask the operators to raise the limit.",
    advice=LIGHTER,
)

CPU_LIMIT = Failure(
    "resource_limit",
    "The job needed more CPU time than it may use",
    "FFmpeg was stopped at the limit of its CPU time",
    "Shorten the input, or ask the operators to raise the limit.",
    advice=LIGHTER,
)

MEMORY_LIMIT = Failure(
    "resource_limit",
    "The job needed more memory than it may use",
    "FFmpeg was stopped at the limit of its memory",
    "Give a smaller input.",
    advice=LIGHTER,
)

STALLED = Failure(
    "stalled",
    "FFmpeg hung",
    "FFmpeg came no further and used no CPU any more, so it was stopped",
    "Try again; if it happens again, the input may be what it hangs at.",
    retryable=True,
)

WORKER_LOST = Failure(
    "worker_lost",
    "The worker died",
    "the worker died in the last attempt that the job had",
    "Try again; if it happens again, the input may be what kills it.",
    retryable=True,
)

POISON = Failure(
    "poison",
    "The job kills its workers",
    "worker after worker died of it, so it is not tried again",
    "Tell the operators the job's id: they can see why, and let it run again.",
)

# Not tried again: the same code would do the same to the same job.
INTERNAL = Failure(
    "internal_error",
    "Something went wrong on our side",
    "the job could not be carried out; the operators can see why",
    "Tell the operators the job's id.",
)

OUTAGE = Failure(
    "worker_trouble",
    "The worker lacked something that it needs",
    "the database, a disk or a process of the worker's failed meanwhile",
    "Try again; if it happens again, tell the operators the job's id.",
    retryable=True,
)


def tells_of_full_disk(own: str) -> bool:
    """Whether there was no room for something, though FFmpeg may have ended well all the same."""
    return _NO_ROOM.search(own) is not None


def unmarked(printed: str) -> Failure | None:
    """What is said past FFmpeg's own words: an encoder lacked memory, or CPU time was at its limit.

    A tag may say the same: its owner then reads of that where FFmpeg failed otherwise.
    """
    if _NO_MEMORY.search(printed):
        return MEMORY_LIMIT
    return CPU_LIMIT if _NO_CPU_TIME.search(printed) else None


UNMEASURED = Failure(
    "input_unreadable",
    "The input is not readable as media",
    "nothing of the input could be measured",
    "Check that it plays: its header promises what FFmpeg does not find in it.",
)

STORAGE_FULL = Failure(
    "storage_full",
    "There was no room for the output",
    "the disk is full",
    "Try again when there is space.",
    retryable=True,
)


def too_much_written(detail: str) -> Failure:
    """All files of a command together, where the kernel's limit is for each."""
    title = "The outputs grew larger than those of a job may be"
    return Failure("output_too_large", title, detail, "Shorten the input.", advice=SMALLER)


SCANNER_UNAVAILABLE = Failure(
    "scanner_unavailable",
    "The virus scanner could not be asked",
    "an input has to be scanned for viruses first, and the scanner gave no verdict",
    "Try again later; if it happens again, tell the operators.",
    retryable=True,
)

_SIGNALS = {
    # Libraries of encoders give up so where they can't have memory; FFmpeg says nothing then.
    6: Failure(
        "resource_limit",
        "The job needed more memory than it may use",
        "FFmpeg gave up, as it does without memory",
        "Give a smaller input.",
        advice=LIGHTER,
    ),
    9: Failure(
        "killed",
        "FFmpeg was killed",
        "the process was killed from outside, mostly for using too much memory",
        "Give a smaller input.",
        advice=LIGHTER,
        retryable=True,
    ),
    24: CPU_LIMIT,
    25: Failure(
        "output_too_large",
        "The output grew larger than a file may be",
        "the output grew over the largest size that a file may have",
        "Shorten the input.",
        advice=SMALLER,
    ),
}

_PATH = re.compile(r"(?<![\w.:/-])/(?:[\w.+@-]+/)+([\w.+@-]*)")
_WORD = re.compile(r"\[(?:error|fatal|panic)\] *(.*)")


def classify(own: str, returncode: int) -> Failure:
    """Find the reason in what was printed; the exit status alone says next to nothing.

    A signal is a negative status (Python's way) or 128 and more (a shell's).
    """
    detail = reason(own)
    for pattern, rule in _TABLE:
        if pattern.search(own):
            return Failure(
                rule.code,
                rule.title,
                detail,
                rule.hint,
                retryable=rule.retryable,
                gpu=rule.gpu,
                advice=rule.advice,
            )
    signal = -returncode if returncode < 0 else returncode - 128
    if signal in _SIGNALS:
        return _SIGNALS[signal]
    return Failure(
        "ffmpeg_failed",
        "FFmpeg failed",
        detail or f"it ended with status {returncode}",
        _LOOK_AT_THE_LOG,
    )


def reason(own: str) -> str:
    """The first complaint: later ones mostly follow from it."""
    if complaint := _WORD.search(own):
        return complaint[1].strip()[:500]
    lines = [line.strip() for line in own.splitlines() if line.strip() and "[info] " not in line]
    return lines[-1][:500] if lines else ""


def clean(log: str, folder: str) -> str:
    """Remove the job's private folder and every other absolute path; relative names stay."""
    without = log.replace(folder.rstrip("/") + "/", "") if folder.strip("/") else log
    return _PATH.sub(r"\1", without)
