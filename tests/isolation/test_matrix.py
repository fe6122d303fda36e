"""Each address, by each method, for each actor, with each kind of id: nobody finds another's.

What must happen is derived from what the views declare. An address that this does not know, or
an id in one, fails until it is told what it is.

By day, another tenant's, a key that lacks just the scope, and one who gets through ask everything;
of all others every third asks at an address by a method, others at the next. Alone a defence has
nothing to say to who is refused before: there it is every sixth.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from ffapi_site.lib import scope
from tests.harness.many_requests import known_people
from tests.in_turn import in_turn
from tests.isolation.actors import Actor, api_actors, page_actors
from tests.isolation.expected import granted, is_through, told, turned_away
from tests.isolation.routes import ADMIN, ADMIN_ROUTES, METHODS, ROUTES, Kind, Route
from tests.isolation.things import FIXED, THINGS, Side
from tests.savepoint import undone

# Not traced: that would make its thousands of requests a quarter longer.
pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.no_cover]

# Addresses for whoever comes: they show nothing of a tenant's.
OPEN = {
    *("/v1/openapi.json", "/docs/", "/docs/errors", "/redoc/", "/favicon.ico"),
    *("/health/live", "/health/ready", "/health/detailed", "/metrics"),
    *("/login", "/login/code", "/login/enrol", "/logout"),
    *("/register", "/register/<str:token>", "/invitations/<str:token>"),
    *("/password/forgotten", "/password/sent", "/password/reset/<uidb64>/<token>"),
}
# What a page needs to be told before it looks at an id, or does anything.
FORMS = {
    "/audit/export": b"format=jsonl",
    "/settings/members/<int:membership_id>/role": b"role=viewer",
}
GUARDED = [path for path, route in ROUTES.items() if route.kind]


def test_every_address_has_its_place() -> None:
    """Either its view's base says whose it is, or it stands among those for everybody."""
    unknown = {path for path, route in ROUTES.items() if not route.kind}
    assert unknown == OPEN


def test_every_id_is_known() -> None:
    named = {name for route in ROUTES.values() for name in route.parameters}
    assert named - set(FIXED) == set(THINGS)


@pytest.mark.parametrize("is_api", [True, False], ids=["API", "pages"])
def test_nobody_finds_anothers(
    *, is_api: bool, defence: str, sides: tuple[Side, Side], record_property: Any
) -> None:
    actors = list((api_actors if is_api else page_actors)(*sides))
    faults, number = [], 0
    for route in _routes(defence):
        if (route.kind is Kind.API) is is_api:
            with undone(), known_people():
                for tried, wrong in _tried(route, defence, sides, _who_count(route, actors)):
                    number += tried
                    faults += wrong
    record_property("combinations", [defence, number])
    assert faults == []


def _routes(defence: str) -> Iterator[Route]:
    """Alone a defence is tried where there is something to find; lists are in test_smuggling."""
    for route in map(ROUTES.__getitem__, GUARDED):
        if defence == "both" or set(route.parameters) & set(THINGS):
            yield route


def _who_count(route: Route, actors: list[Actor]) -> list[Actor]:
    wanted = {route.scope(method) for method in METHODS}
    return [actor for actor in actors if not actor.lacks or actor.lacks in wanted]


def _tried(
    route: Route, defence: str, sides: tuple[Side, Side], actors: list[Actor]
) -> Iterator[tuple[int, list[str]]]:
    """Give how many ids each actor tried by each method, and what was wrong."""
    by_any_method = _one_of_each(actors, route) if defence == "both" else []
    ids = {side.mark: _ids(route, side, other) for side, other in (sides, sides[::-1])}
    for method in METHODS:
        asking = actors if route.takes(method) else by_any_method
        for actor in _in_turn(route, method, asking, 3 if defence == "both" else 6):
            answers = dict(_answers(route, actor, method, ids[actor.side.mark]))
            yield (
                len(answers),
                [
                    f"{method} {route.path} by {actor.name}, {kind}: {fault}"
                    for kind, fault in _faults(route, actor, method, answers)
                ],
            )


def _one_of_each(actors: list[Actor], route: Route) -> list[Actor]:
    """One of each side whom the route knows, and one stranger: without a handler all are alike."""
    found = {(actor.side.mark, route.kind in actor.speaks_to): actor for actor in actors}
    return list(found.values())


def _in_turn(route: Route, method: str, actors: list[Actor], of: int) -> list[Actor]:
    """Those on whose answers it depends, and of the others those whose turn it is."""
    # A HEAD is answered by what answers a GET, and where nothing takes it, all are alike.
    matters = route.takes(method) and method != "HEAD"
    deciding = _deciding(route, method, actors) if matters else []
    turn = GUARDED.index(route.path) + METHODS.index(method)
    others = [each for each in actors if each not in deciding]
    return [*deciding, *in_turn(others, turn, of)]


def _deciding(route: Route, method: str, actors: list[Actor]) -> list[Actor]:
    through = [each for each in actors if is_through(route, each, method) and not each.lacks]
    own = [each for each in through if each.side is not actors[0].side]
    return [actors[0], *own[:1], *(each for each in actors if each.lacks)]


def _ids(route: Route, own: Side, other: Side) -> dict[str, str]:
    """What somebody of ``own`` can put into the address: paths by the kind of their id."""
    values = {name: FIXED[name] for name in route.parameters if name in FIXED}
    named = [name for name in route.parameters if name in THINGS]
    if not named:
        return {"no id": route.at(**values)}
    [name] = named
    with scope.within(scope.EVERY_TENANT):
        ids = THINGS[name].ids(own, other)
        return {kind: route.at(**values, **{name: text}) for kind, text in ids}


def _answers(
    route: Route, actor: Actor, method: str, paths: dict[str, str]
) -> Iterator[tuple[str, Any]]:
    for kind, path in paths.items():
        # Where there is no handler, what the id names can make no difference but one.
        if route.takes(method) or kind in {"own", "foreign", "no id"}:
            yield kind, _asked(actor, method, path, FORMS.get(route.path, b""))


def _asked(actor: Actor, method: str, path: str, form: bytes = b"") -> Any:
    """Ask, and undo what came of it."""
    with undone():
        answer = actor.ask(method, path, form)
    if answer.streaming:  # close() would end the database's connection as well
        for close in answer._resource_closers:
            close()
    return answer


def _faults(
    route: Route, actor: Actor, method: str, answers: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    for kind, answer in answers.items():
        is_plain = kind in {"own", "foreign", "random", "deleted", "no id"}
        if is_plain and (fault := turned_away(route, actor, method, answer)):
            yield kind, fault
        if answer.status_code >= 500:
            yield kind, str(answer.status_code)
    if is_through(route, actor, method):
        yield from _faults_of_ids(route, actor, method, answers)


def _faults_of_ids(
    route: Route, actor: Actor, method: str, answers: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    absent = dict(answers)
    mine = absent.pop("own", None) or absent.pop("no id")
    if fault := granted(route, actor, method, mine):
        yield "own", fault
    if actor.reads_everything:
        return  # to staff nobody's rows are foreign
    random = absent.get("random")
    for kind, answer in absent.items():
        if answer.status_code != 404:
            yield kind, f"{answer.status_code}, not 404"
        elif _is_at(route, answer) and told(answer) != told(random):
            yield kind, f"is not answered as a random one: {told(answer)} {told(random)}"


def _is_at(route: Route, answer: Any) -> bool:
    """What the address's own form does not fit does not get to the view."""
    match = answer.wsgi_request.resolver_match
    return match is not None and f"/{match.route}" == route.path


def test_what_is_for_everybody_shows_nobodys(
    defence: str, sides: tuple[Side, Side], record_property: Any
) -> None:
    for thing in THINGS.values():
        thing.make(sides[0])
    actors = list(page_actors(*sides))
    strangers = [each for each in actors if each.side is sides[1] or not each.speaks_to]
    tried = [
        (path, actor, method)
        for turn, (path, method) in enumerate(product(sorted(OPEN), ("GET", "POST")))
        for actor in in_turn(strangers, turn, 3)
    ]
    with known_people():
        for path, actor, method in tried:
            _shows_nothing_of(sides[0], ROUTES[path], actor, method)
    record_property("combinations", [defence, len(tried)])


def _shows_nothing_of(side: Side, route: Route, actor: Actor, method: str) -> None:
    answer = _asked(actor, method, route.at(**{n: FIXED[n] for n in route.parameters}))
    request = f"{method} {route.path} by {actor.name}"
    assert answer.status_code < 500 or route.path.startswith("/health/"), request
    if not answer.streaming:
        assert side.mark.encode() not in answer.content, request
        assert side.tenant.pk.encode() not in answer.content, request


def test_the_admin_is_for_verified_staff(sides: tuple[Side, Side], record_property: Any) -> None:
    actors = [actor for actor in page_actors(*sides) if not actor.reads_everything]
    guarded = [
        route for route in ADMIN_ROUTES if route.path != "/admin/login/" and "(?P" not in route.path
    ]
    tried = [
        (actor, route, method)
        for turn, (route, method) in enumerate(product(guarded, ("GET", "POST")))
        for actor in in_turn(actors, turn, 3)
    ]
    with known_people():
        for actor, route, method in tried:
            answer = _asked(actor, method, route.at(**dict.fromkeys(route.parameters, "1")))
            request = f"{method} {route.path} by {actor.name}"
            assert answer.status_code in {302, 403, 404, 405}, request
            if answer.status_code == 302:
                is_shown_out = answer["Location"] == ADMIN and "logout" in route.path
                assert is_shown_out or "login" in answer["Location"], request
    record_property("combinations", ["both", len(tried)])
