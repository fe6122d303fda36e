from __future__ import annotations

from dataclasses import replace

from ffapi_site.lib.shorten import shorten
from media_jobs.models.job import RESULT_BYTES
from media_jobs.operations.core import Result

_CUT = f"the result was longer than the {RESULT_BYTES >> 10} KiB that are kept: parts are cut off"


def kept(result: Result | None) -> Result | None:
    """What of a result fits into the job's row, with a warning where that is not all of it."""
    if result is None:
        return None
    data = shorten(result.data, RESULT_BYTES)
    return (
        result
        if data is result.data
        else replace(result, data=data, warnings=(*result.warnings, _CUT))
    )
