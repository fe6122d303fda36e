"""Operations on media, one file each; importing the package declares them all."""

from __future__ import annotations

import importlib
import pkgutil

for _found in pkgutil.walk_packages(__path__, f"{__name__}."):
    importlib.import_module(_found.name)
