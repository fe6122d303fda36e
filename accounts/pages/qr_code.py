from __future__ import annotations

from dataclasses import dataclass

import qrcode
from qrcode.constants import ERROR_CORRECT_M

_QUIET = 4  # modules of white around it, as ISO/IEC 18004 wants


@dataclass(frozen=True)
class QrCode:
    """A QR code as one path of an SVG drawing, for a page whose policy allows no other image."""

    size: int
    path: str

    @classmethod
    def of(cls, text: str) -> QrCode:
        code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=_QUIET)
        code.add_data(text)
        matrix = code.get_matrix()
        dark = (
            f"M{column} {row}h1v1h-1z"
            for row, modules in enumerate(matrix)
            for column, is_dark in enumerate(modules)
            if is_dark
        )
        return cls(len(matrix), "".join(dark))
