"""What is done to the site. Each fault has the number of the demand that it tries (R1 to R35)."""

from __future__ import annotations

import signal
import time

import psutil
import psycopg

from chaos import disk, late, processes, standing
from chaos.ground import LEASE_S
from chaos.scene import Done, Fault, NothingToHit, Scene


def _kill(scene: Scene, found: list[psutil.Process]) -> Done:
    victim = scene.one_of(found)
    victim.kill()
    return Done(f"pid {victim.pid}")


def kill_ffmpeg(scene: Scene) -> Done:
    """R1: the FFmpeg of a job is killed, as the kernel does when memory is short."""
    return _kill(scene, processes.encoders(scene.ground))


def kill_worker(scene: Scene) -> Done:
    """R1: the process that runs a job dies."""
    return _kill(scene, processes.workers(scene.ground))


def kill_beside_worker(scene: Scene) -> Done:
    """R2: any process of a slot dies, idle or busy."""
    return _kill(scene, processes.below_sentinels(scene.ground))


def kill_sentinel(scene: Scene) -> Done:
    """R2: django-q2's own guard dies."""
    return _kill(scene, processes.sentinels(scene.ground))


def kill_guard(scene: Scene) -> Done:
    """R2: a whole slot dies."""
    return _kill(scene, processes.guards(scene.ground))


def stop_slot(scene: Scene) -> Done:
    """R3: a slot is asked to end, as a deployment does."""
    victim = scene.one_of(processes.guards(scene.ground))
    victim.terminate()
    return Done(f"pid {victim.pid}")


def kill_web_worker(scene: Scene) -> Done:
    """R4: a web process dies with its requests half done."""
    return _kill(scene, processes.web_workers(scene.ground))


def kill_web_master(scene: Scene) -> Done:
    """R4: the whole web server dies."""
    return _kill(scene, processes.web_masters(scene.ground))


def kill_maintenance(scene: Scene) -> Done:
    """R35: nobody does the chores any more."""
    return _kill(scene, processes.maintenance(scene.ground))


def kill_webhooks(scene: Scene) -> Done:
    """R35: who sends webhooks dies with some on their way."""
    return _kill(scene, processes.webhook_senders(scene.ground))


def crash_site(scene: Scene) -> Done:
    """R2: the machine loses its power, and starts again."""
    scene.ground.crash()
    time.sleep(scene.chance.uniform(0, 3))
    scene.ground.start()
    return Done("killed all, started again")


def freeze_worker(scene: Scene) -> Done:
    """R10: a worker stands still past its lease, and then goes on as if nothing had been."""
    return scene.freeze([scene.one_of(processes.workers(scene.ground))], LEASE_S + 4)


def freeze_ffmpeg(scene: Scene) -> Done:
    """R22: FFmpeg hangs; nobody wakes it."""
    return scene.stop([each for each in processes.encoders(scene.ground) if _encodes(each)])


def _encodes(process: psutil.Process) -> bool:
    """Whether it is an attempt's FFmpeg: only these report progress that can be watched."""
    try:
        return bool(process.name().startswith("ffmpeg"))
    except psutil.NoSuchProcess:
        return False


def kill_database(scene: Scene) -> Done:
    """R5: the database dies with all that it was doing, and is left dead."""
    return _kill(scene, processes.postmasters(scene.ground))


def stop_database(scene: Scene) -> Done:
    """R5: ``pg_ctl stop -m immediate``, and nobody starts it again."""
    victim = scene.one_of(processes.postmasters(scene.ground))
    victim.send_signal(signal.SIGQUIT)
    return Done(f"pid {victim.pid}")


def kill_database_keeper(scene: Scene) -> Done:
    """R5: what keeps the database running dies, and the database with it."""
    keeper = scene.one_of(processes.database_keepers(scene.ground))
    victim = scene.one_of(processes.postmasters(scene.ground))
    keeper.kill()
    victim.kill()
    return Done(f"pids {keeper.pid} and {victim.pid}")


def kill_backend(scene: Scene) -> Done:
    """R5: one backend dies, upon which the database ends all the others and recovers."""
    return _kill(scene, processes.backends(scene.ground))


def end_connections(scene: Scene) -> Done:
    """R6: every connection of the site is closed from the other side."""
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    return Done(f"{len(scene.ground.rows(query))} connections")


def freeze_backend(scene: Scene) -> Done:
    """R6: a connection is half open for a while: nothing comes back."""
    return scene.freeze([scene.one_of(processes.backends(scene.ground))], 8)


def double_tokens(scene: Scene) -> Done:
    """R9: each message is there five times more."""
    query = (
        "INSERT INTO django_q_ormq (key, payload, lock)"
        " SELECT key, payload, lock FROM (SELECT * FROM django_q_ormq LIMIT 5) AS token,"
        " generate_series(1, 5) RETURNING id"
    )
    return _tokens(scene, query)


def lose_tokens(scene: Scene) -> Done:
    """R9: the messages are gone."""
    return _tokens(scene, "DELETE FROM django_q_ormq RETURNING id")


def _tokens(scene: Scene, query: str) -> Done:
    hit = len(scene.ground.rows(query))
    if not hit:
        raise NothingToHit
    return Done(f"{hit} tokens")


def fill_scratch(scene: Scene) -> Done:
    """R7: the scratch disk is full."""
    filler = scene.ground.scratch / "filler"
    size_bytes = 0
    with filler.open("wb", buffering=0) as writing:
        try:
            while True:
                size_bytes += writing.write(bytes(1 << 20))
        except OSError:
            told = f"{size_bytes >> 20} MiB"
    return Done(told, 5, lambda: filler.unlink(missing_ok=True))


def fill_by_uploads(scene: Scene) -> Done:
    """R33: uploads that announce nothing fill the disk that the database is on."""
    sender, other, *_ = scene.customers
    if not disk.is_served(other, within_s=1):
        raise NothingToHit
    return Done(disk.fill_by_uploads(scene.ground, sender, other))


def jump_clock(scene: Scene) -> Done:
    """R8: the clock of every process but the database's jumps."""
    clock = scene.ground.clock
    if clock is None:
        raise NothingToHit
    hours = scene.chance.choice([2, -1])
    clock.set_off_by(hours * 3600)
    return Done(f"{hours:+} h", 6, lambda: clock.set_off_by(0))


# They wait until the site answers, which it rightly does not on a full disk: that is undone first.
STARTING_AGAIN: tuple[Fault, ...] = (crash_site, fill_by_uploads)
QUICK: tuple[Fault, ...] = (
    kill_ffmpeg,
    kill_worker,
    kill_guard,
    kill_web_worker,
    kill_database,
    freeze_worker,
    end_connections,
    double_tokens,
    lose_tokens,
)
ALL: tuple[Fault, ...] = (
    *QUICK,
    *standing.FAULTS,
    *late.FAULTS,
    kill_beside_worker,
    kill_sentinel,
    stop_slot,
    kill_web_master,
    kill_maintenance,
    kill_webhooks,
    crash_site,
    freeze_ffmpeg,
    stop_database,
    kill_database_keeper,
    kill_backend,
    freeze_backend,
    fill_scratch,
    fill_by_uploads,
    jump_clock,
)

# What may come of hitting something that ends by itself at this moment.
MISSED = (NothingToHit, psutil.NoSuchProcess, psycopg.OperationalError, FileNotFoundError)
