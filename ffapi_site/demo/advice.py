from __future__ import annotations

import shutil

# What does well without, by a program of it: the packages of Debian, and what they add.
_ADD = {
    "bwrap": ("bubblewrap", "a further layer of the sandbox"),
    "fc-list": (
        "fontconfig fonts-noto-core",
        "fonts for more scripts than Latin, Greek and Cyrillic",
    ),
}


def advice() -> str:
    """Say in a line what apt could add to this machine; empty where nothing, or without apt."""
    missing = [each for program, each in _ADD.items() if shutil.which(program) is None]
    if not missing or shutil.which("apt-get") is None:
        return ""
    packages, gains = zip(*missing, strict=True)
    return f"apt-get install {' '.join(packages)} would add {' and '.join(gains)}"
