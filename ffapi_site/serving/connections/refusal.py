"""What the server refuses before any application sees the request, as problem details too."""

from __future__ import annotations

import json
import logging

from ffapi_site.lib.ids import new_id
from ffapi_site.lib.problems import Malformed, Problem, Unavailable

logger = logging.getLogger(__name__)


class RequestTimeout(Problem):
    """The request did not come in time"""

    status = 408
    code = "request_timeout"


class AddressTooLong(Problem):
    """The address is too long"""

    status = 414
    code = "address_too_long"


class HeadersTooLarge(Problem):
    """The headers are too large"""

    status = 431
    code = "headers_too_large"


class Broken(Problem):
    """Something went wrong on our side"""

    status = 500
    code = "internal_error"


class NotImplementedHere(Problem):
    """The server does not know this transfer coding"""

    status = 501
    code = "not_implemented"


class Busy(Unavailable):
    """The service can't answer just now"""

    code = "busy"


_KINDS: dict[int, type[Problem]] = {
    kind.status: kind
    for kind in (RequestTimeout, AddressTooLong, HeadersTooLarge, Broken, NotImplementedHere, Busy)
}


def refusal(status: int, detail: str) -> tuple[int, bytes]:
    """The status and body of an answer; all that is not known by its status can't be read."""
    problem = _KINDS.get(status, Malformed)(detail)
    request_id = new_id("req")
    facts = {"request_id": request_id, "status": problem.status, "code": problem.code}
    logger.info("A request was refused before it was read", extra=facts)
    return problem.status, json.dumps(problem.to_json(request_id)).encode()
