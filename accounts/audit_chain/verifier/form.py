"""What a sealed record and a bundle are made of."""

VERSION = 1
SEALED = (
    *("v", "tenant", "seq", "id", "at", "actor", "event_type", "resource", "outcome"),
    *("request_id", "details_digest", "personal_digest"),
)
BESIDE = ("details", "personal", "salt", "prev_hash", "hash")
HASHES = ("prev_hash", "hash", "details_digest", "personal_digest")
NEEDED = ("records.jsonl", "checkpoints.jsonl")  # a manifest tells of these two files at least
FILES = (*NEEDED, "verify.py", "README.txt")
