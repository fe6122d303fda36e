"""One shape for every verdict on what somebody gave: an address, a name, a file, a parameter."""

from __future__ import annotations


class Refusal(ValueError):  # noqa: N818 -- a verdict, not a mistake of ours
    """Something that was given is not taken

    ``code`` is for programs and never changes; ``detail`` is for whoever gave it, so it tells
    nothing of this machine. ``is_passing``: the same may be taken later, after ``retry_after_s``
    where somebody said how long that takes. ``problems.at`` makes a problem of it.
    """

    is_passing: bool = False

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        is_passing: bool | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.is_passing = self.is_passing if is_passing is None else is_passing
        self.retry_after_s = retry_after_s
