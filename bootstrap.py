"""Make ready what the Makefile's commands need, with nothing but Python 3.11.

``python3 bootstrap.py runtime`` or ``development``. Where nothing is missing it takes a moment;
two at a time wait for each other, a quarter of an hour at most.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TURN_WITHIN_S = 900
REQUIREMENTS = {
    "runtime": ("requirements.txt",),
    "development": ("requirements.txt", "requirements-oidc.txt", "requirements-dev.txt"),
}


def main(kind: str) -> None:
    if sys.version_info < (3, 11):
        sys.exit(
            f"FFAPI needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}.\n"
            "Name another one: make PYTHON=python3.12 ..."
        )
    if is_ready(kind):
        return
    wait_for_turn()
    if packages := missing_packages(kind):
        install_packages(packages + wished_packages())
    if not has_pip():
        print("Making .venv", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
    if not is_installed(kind):
        install_requirements(kind)


def is_ready(kind: str) -> bool:
    return not missing_packages(kind) and has_pip() and is_installed(kind)


def has_pip() -> bool:
    return works(VENV / "bin/python", "import pip")


def wait_for_turn() -> None:
    """Lock the sources for as long as this process lives; all who can read them could, too."""
    lock = os.open(ROOT, os.O_RDONLY)
    until = time.monotonic() + TURN_WITHIN_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                sys.exit(f"Another process has locked {ROOT} for {TURN_WITHIN_S} s; see lslocks.")
            time.sleep(0.2)
        else:
            return


def missing_packages(kind: str) -> list[str]:
    """The Debian packages whose programs or files are not there, however they were to come."""
    missing = []
    if not works(Path(sys.executable), "import ensurepip, venv"):
        missing.append(f"python3.{sys.version_info.minor}-venv")
    if kind == "development":
        missing += missing_packages_of_tests()
    return missing


def missing_packages_of_tests() -> list[str]:
    missing = []
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        missing.append("ffmpeg")  # the machine's own, beside the one that comes along
    if not any(Path("/usr/share/fonts").glob("**/DejaVuSans.ttf")):
        missing.append("fonts-dejavu-core")
    if not (shutil.which("chromium") or shutil.which("google-chrome")):
        missing.append("chromium")
    if not shutil.which("clamd", path=f"{os.environ['PATH']}:/usr/sbin"):
        missing.append("clamav-daemon")
    if not shutil.which("cc"):
        missing += ["gcc", "libc6-dev"]  # for the clock that chaos sets
    return missing


def wished_packages() -> list[str]:
    """What does well without, but better with: installed only along with others."""
    return [] if shutil.which("bwrap") else ["bubblewrap"]  # a further layer of the sandbox


def install_packages(packages: list[str]) -> None:
    names = " ".join(packages)
    apt = as_root(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"])
    if apt is None:
        sys.exit(
            f"FFAPI needs these system packages: {names}\n"
            f"Install them, then run the command again:\n\n    sudo apt-get install {names}\n"
        )
    print(f"Installing {names}", flush=True)
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    subprocess.run([*apt, "update"], check=False)  # stale lists are often good enough
    install = [*apt, *wait, "install", "-y", "--no-install-recommends", *packages]
    done = subprocess.run(install, check=False, stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"apt-get could not install: {names}. Its message is above.")


def as_root(command: list[str]) -> list[str] | None:
    """Give the command as root may run it, None where apt or the right to use it is missing."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return command
    sudo = shutil.which("sudo")
    if (
        sudo is None
        or subprocess.run([sudo, "-n", "true"], check=False, capture_output=True).returncode
    ):
        return None
    return [sudo, "-n", *command]


def works(python: Path, statement: str) -> bool:
    if not python.exists():
        return False
    ran = subprocess.run([str(python), "-c", statement], check=False, capture_output=True)
    return ran.returncode == 0


def fingerprint(kind: str) -> str:
    wanted = [(ROOT / name).read_bytes() for name in REQUIREMENTS[kind]]
    return hashlib.sha256(b"".join([sys.version.encode(), *wanted])).hexdigest()


def stamp(kind: str) -> Path:
    return VENV / f"installed-{kind}"


def is_installed(kind: str) -> bool:
    return stamp(kind).exists() and stamp(kind).read_text() == fingerprint(kind)


def install_requirements(kind: str) -> None:
    listed = REQUIREMENTS[kind][-1]
    print(f"Installing {listed} into .venv", flush=True)
    pip = [str(VENV / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    done = subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / listed)], check=False)
    if done.returncode:
        sys.exit(f"pip could not install {listed}. Its message is above.")
    for satisfied in REQUIREMENTS if kind == "development" else [kind]:
        stamp(satisfied).write_text(fingerprint(satisfied))


if __name__ == "__main__":
    if sys.argv[1:] not in (["runtime"], ["development"]):
        sys.exit("usage: bootstrap.py runtime|development")
    main(sys.argv[1])
