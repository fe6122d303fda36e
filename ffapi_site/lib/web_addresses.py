from __future__ import annotations

from typing import Final

# As much as one may have wherever it is read, kept or opened: signed links have 2,000 and more.
LONGEST_URL: Final = 4096
