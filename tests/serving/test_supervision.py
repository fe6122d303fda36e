from __future__ import annotations

import shlex
from configparser import RawConfigParser
from pathlib import Path

from pytest_django.fixtures import Settings

from ffapi_site.serving.programs import Program, programs
from ffapi_site.serving.supervision import configuration


def _read(written: str) -> RawConfigParser:
    parser = RawConfigParser()
    parser.read_string(written)
    return parser


def test_it_works() -> None:
    program = Program("web", ("python", "-m", "web"), stop_within_s=15)
    parser = _read(configuration([program], folder=Path("/data"), directory=Path("/srv")))
    assert parser["supervisord"]["nodaemon"] == "true"
    web = parser["program:web"]
    assert shlex.split(web["command"])[-3:] == ["python", "-m", "web"]
    assert web["stdout_logfile"] == "/data/logs/web.log"
    assert web["stopwaitsecs"] == "15"
    assert web["autorestart"] == "true"


def test_a_program_may_be_another_users() -> None:
    programs = [Program("web", ("web",), 1, user="nobody"), Program("slot", ("slot",), 1)]
    parser = _read(configuration(programs, folder=Path("/data"), directory=Path("/srv")))
    assert parser["program:web"]["user"] == "nobody"
    told = parser["program:web"]["environment"].split(",")
    assert 'USER="nobody"' in told
    assert 'DATABASE_OWNER_URL=""' in told  # who works with the tables need not know it
    assert "user" not in parser["program:slot"]


def test_the_database_is_stopped_after_all_that_works_with_it() -> None:
    parser = _read(configuration(programs(), folder=Path("/data"), directory=Path("/srv")))
    work = parser["group:work"]
    assert work["programs"].split(",") == [each.name for each in programs()[1:]]
    assert int(work["priority"]) > int(parser["program:database"]["priority"])


def test_a_server_elsewhere_is_not_ours_to_keep(settings: Settings) -> None:
    settings.EMBEDDED_DATABASE = False
    assert programs()[0].name == "web"


def test_paths_with_spaces_and_per_cent_signs_stay_whole() -> None:
    program = Program("web", ("/my programs/100%/python",), stop_within_s=1)
    parser = _read(configuration([program], folder=Path("/50% of it"), directory=Path("/srv")))
    command = parser["program:web"]["command"]
    assert shlex.split(command)[-1] == "/my programs/100%%/python"
    assert parser["program:web"]["stdout_logfile"] == "/50%% of it/logs/web.log"


def test_there_are_as_many_slots_as_the_lanes_say(settings: Settings) -> None:
    settings.LANES = {"cpu": 2, "gpu": 1}
    assert [program.name for program in programs()] == [
        "database",
        "web",
        "audit-sealer",
        "maintenance",
        "webhooks",
        "slot-1",
        "slot-2",
        "slot-gpu-1",
    ]
    assert programs()[7].command[-4:] == ("--lane", "gpu", "--number", "1")


def test_a_slot_has_its_grace_before_it_is_killed(settings: Settings) -> None:
    settings.SHUTDOWN_GRACE_SECONDS = 300
    assert programs()[5].name == "slot-1"
    assert programs()[5].stop_within_s > 300
