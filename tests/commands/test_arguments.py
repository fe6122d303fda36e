"""What is written wrongly on a command line is told in a sentence, and by no traceback."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import (
    BaseCommand,
    CommandError,
    call_command,
    get_commands,
    load_command_class,
)

from ffapi_site.lib.arguments import MOST
from tests.factories import TenantFactory
from tests.test_loops import PACKAGES

pytestmark = pytest.mark.django_db

_DIGITS = "9" * 5000  # Python reads 4,300
_HOSTILE = (_DIGITS, "9" * 19, "-1", "nan", "inf", "1e999", "²", "٣", "", " 1", "1_0", "x" * 5000)


def actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                yield from actions(verb)
        else:
            yield action


def own_arguments() -> Iterator[tuple[str, argparse.Action]]:
    """The arguments of our commands that are read as something else than a text."""
    usual = set(BaseCommand().create_parser("", "")._option_string_actions)
    for name, app in get_commands().items():
        if app in PACKAGES:
            for action in actions(load_command_class(app, name).create_parser("", name)):
                if callable(action.type) and not set(action.option_strings) & usual:
                    yield name, action


def test_every_number_is_read_within_bounds() -> None:
    seen = set()
    for command, action in own_arguments():
        reader = action.type
        assert callable(reader)
        if reader is Path:
            continue
        seen.add(f"{command} {action.option_strings[0]}")
        for text in _HOSTILE:
            try:
                found: float = reader(text)  # type: ignore[assignment]
            except (argparse.ArgumentTypeError, ValueError):  # which argparse tells
                continue
            assert 0 <= found <= MOST, (command, action.option_strings, text[:20])
    assert seen >= {"create_api_key --days", "quotas --suspend-after", "queue --timeout"}


@pytest.mark.parametrize(
    "wrong",
    [
        ["quotas", "limit", "--tenant", "acme", f"max_jobs_per_day={_DIGITS}"],
        ["quotas", "limit", "--tenant", "acme", "max_jobs_per_day=-1"],
        ["quotas", "plan", "small", f"max_jobs_per_day={_DIGITS}"],
        ["quotas", "plan", "x" * 5000, "max_jobs_per_day=1"],
        ["quotas", "plan", "small", "--suspend-after", "9" * 12],
        ["create_api_key", "--tenant", "acme", "--days", "9" * 12],
        ["create_api_key", "--tenant", "acme", "--rate-limit", _DIGITS],
        ["audit", "cut", "--before", "2025-02-30"],
        ["audit", "cut", "--before", _DIGITS],
        ["audit", "bundle", "/nowhere/at/all"],
        ["queue", "drain", "--timeout", "nan"],
        ["slot", "--number", _DIGITS],
    ],
    ids=lambda wrong: " ".join(wrong)[:40],
)
def test_it_is_told_in_a_sentence(wrong: list[str]) -> None:
    TenantFactory.create(name="acme")
    with pytest.raises(CommandError) as told:
        call_command(*wrong)
    assert len(str(told.value)) < 6000
