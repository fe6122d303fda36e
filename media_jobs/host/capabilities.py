"""What can be planned with: what any FFmpeg of this machine can, and its fonts."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from media_jobs.ffmpeg.capabilities import Capabilities
from media_jobs.host import fonts, toolchain


@dataclass(frozen=True, eq=False)
class _OfAny(AbstractSet[str]):
    """What any build has: the later ones are asked only where the earlier ones have it not."""

    kind: Literal["encoders", "filters", "muxers"]

    def __contains__(self, name: object) -> bool:
        return any(name in found for found in self._of_builds())

    def __iter__(self) -> Iterator[str]:
        return iter(frozenset[str]().union(*self._of_builds()))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _of_builds(self) -> Iterator[AbstractSet[str]]:
        return (getattr(tried.capabilities, self.kind) for tried in toolchain.usable())


def capabilities() -> Capabilities:
    """What some build has need not be in one with what another has: see `toolchain.for_command`."""
    first = next(toolchain.usable(), None)
    return Capabilities(
        version=first.capabilities.version if first else "",
        encoders=_OfAny("encoders"),
        filters=_OfAny("filters"),
        muxers=_OfAny("muxers"),
        fonts=fonts.found(),
    )
