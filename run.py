"""Two commands on a bare machine: `python run.py demo` and `python run.py test`.

Makes `.venv` beside this file, installs exactly what the lock files name (every package by its hash), and then runs
the command; whatever is not `test` is a dolen command. Uses the standard library alone, and only syntax that an old
Python 3 can read, so that an old Python is answered with a sentence and not with a traceback.
"""

import collections.abc
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

OLDEST_PYTHON = (3, 11)
HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
STAMP = VENV / "dolen-ready.json"  # what was installed: the digest of each kind of set-up
UNFINISHED = VENV / "dolen-unfinished"  # stands while something is being installed; found at the start = cut off
LOG = VENV / "dolen-set-up.log"
QUEUE = HERE / ".venv.lock"  # outside .venv, because .venv itself may have to be made anew

# What is installed for which purpose. The demo takes the smaller set, so that the first run is quick.
BUILD_LOCK = "requirements-build.lock"
LOCKS = {"run": "requirements.lock", "test": "requirements-dev.lock"}
BUILT_HERE = "docopt"  # the one package that is published as source alone; all others come ready-made

USAGE = """\
python run.py demo          three councils, pretend systems with faults, referrals moving; ends with proof
python run.py test          every test (what follows goes to pytest: python run.py test -k ledger)
python run.py COMMAND ...   any dolen command, for instance: python run.py check --site config/example

The first run makes .venv in this folder and installs what the lock files name. Later runs start at once."""


class SetUpStoppedError(Exception):
    """Set-up cannot go on; the text is for the person at the keyboard and says what to do."""


def say(text: str) -> None:
    """Tell the person something, on standard error: standard output belongs to the command (`--json`)."""
    print(text, file=sys.stderr, flush=True)


# --- What can be decided without touching anything ------------------------------------------------------------------


def wrong_python(version: "tuple[int, ...]") -> str:
    """Return why this Python cannot be used, or an empty string if it can."""
    if tuple(version[:2]) >= OLDEST_PYTHON:
        return ""
    needed, found = (".".join(str(part) for part in parts[:3]) for parts in (OLDEST_PYTHON, version))
    return (
        f"Dolen needs Python {needed} or newer; this is Python {found}.\n"
        "Install a newer Python (it may stand beside this one) and start with it by name, for instance:\n"
        "    python3.12 run.py demo        on Windows:  py -3.12 run.py demo"
    )


def missing_parts(present: "dict[str, bool]", version: "tuple[int, ...]") -> str:
    """Return what this Python lacks to make a virtual environment, or an empty string."""
    absent = sorted(name for name, there in present.items() if not there)
    if not absent:
        return ""
    return (
        f"This Python cannot make a virtual environment: without {' and '.join(absent)} it is not whole.\n"
        f"On Debian and Ubuntu:  sudo apt install python{version[0]}.{version[1]}-venv\n"
        "Elsewhere: install Python whole, from its own site or your system's packages. Then run the same command again."
    )


def route(arguments: "list[str]") -> "tuple[str, list[str]]":
    """Return (kind of set-up, what to run inside .venv); the first word of what to run names the program."""
    if arguments[0] == "test":
        # All tests are shared out over several processes; a few run quicker in one.
        return "test", ["pytest", *(arguments[1:] or ["-n", str(processes(os.cpu_count())), "--dist", "loadgroup"])]
    return "run", ["dolen", *arguments]


def processes(cores: "int | None") -> int:
    """Return over how many processes all tests are shared out: two a core, because most of them wait half the time."""
    return min(8, 2 * (cores or 1))


def inside(venv: Path, program: str, windows: bool) -> Path:
    """Return where a virtual environment keeps a program."""
    return venv / "Scripts" / (program + ".exe") if windows else venv / "bin" / program


def digest(kind: str, folder: Path) -> str:
    """Return what a set-up of this kind depends on, as one hash.

    The folder counts, because scripts and the editable install hold its whole path; of pyproject.toml only the tables
    that reach the installation count, so that a new lint rule does not cause an installation.
    """
    import tomllib  # 3.11 and newer, so not at the top: an old Python must get as far as its sentence

    locks = [BUILD_LOCK, LOCKS["run"]] + ([LOCKS["test"]] if kind == "test" else [])
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    installed = [project.get("build-system"), project.get("project"), project.get("tool", {}).get("hatch")]
    parts = [str(folder), json.dumps(installed, sort_keys=True)]
    parts += [(folder / lock).read_text(encoding="utf-8") for lock in locks]
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()


def explain(output: "list[str]") -> str:
    """Turn what pip said on failing into what happened and what to do."""
    text = "\n".join(output)
    named = re.findall(r"(?:No matching distribution found for|satisfies the requirement) ([^\s;]+)", text)
    named = named or re.findall(r"^Collecting ([^\s;]+)", text, re.MULTILINE)[-1:] or ["a package"]
    package = named[-1]
    if "DO NOT MATCH THE HASHES" in text:
        return (
            f"What was downloaded for {package} is not what the lock file names, so nothing of it was installed.\n"
            "Run the same command again; if it stays, ask who runs your package mirror or proxy what it changes."
        )
    if re.search(r"No space left on device|Errno 28|WinError 112", text):
        return "The disk is full. Make room (about 500 MB) and run the same command again."
    if re.search(r"CERTIFICATE_VERIFY_FAILED|SSLError|certificate verify", text):
        return (
            f"Could not fetch {package}: the certificate of the package index is not trusted here.\n"
            "Networks that inspect traffic have a certificate of their own: ask for its file, then\n"
            "    set PIP_CERT to that file's path      and run the same command again."
        )
    if re.search(
        r"NewConnectionError|Failed to establish|name resolution|getaddrinfo|ConnectTimeout|ReadTimeout|ProxyError"
        r"|Max retries exceeded|Connection (?:reset|refused|aborted)|Network is unreachable|connection broken",
        text,
        re.IGNORECASE,
    ):
        return (
            f"Could not fetch {package}: the package index cannot be reached from this machine.\n"
            "Check the network. Behind a proxy set HTTPS_PROXY; with a mirror of your own set PIP_INDEX_URL.\n"
            "Then run the same command again: what was fetched already is kept."
        )
    if "No matching distribution found" in text:
        return (
            f"Could not fetch {package}: no place that pip may look in offers it for this Python on {sys.platform}.\n"
            "Look at PIP_NO_INDEX, PIP_INDEX_URL and PIP_FIND_LINKS, and at what `pip config list` says. If they are\n"
            "as they should be, there is no ready-made package for this Python yet: use one of 3.11 to 3.13."
        )
    if re.search(r"Permission denied|WinError 5\b|WinError 32\b|Errno 13", text):
        return "A file in .venv is in use or not yours to change. End what runs from it and run the same command again."
    last = [line for line in output if line.strip()][-5:]
    return "Set-up stopped, and these are the last words of the step that failed:\n" + "\n".join(
        "    " + line for line in last
    )


# --- One at a time --------------------------------------------------------------------------------------------------


def try_lock(handle: int) -> bool:
    """Take the operating system's lock on an open file; False if another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def only_one(queue: Path) -> "collections.abc.Iterator[int]":
    """Hold the set-up lock; yields its handle, which pip inherits so that an orphaned pip still holds it.

    The system frees it when the last holder ends, however it ended: there is no stale lock to clear by hand.
    """
    handle = os.open(str(queue), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        told = False
        while not try_lock(handle):
            if not told:
                say("Another run.py is setting up this folder; waiting for it.")
                told = True
            time.sleep(0.3)
        yield handle
    finally:
        os.close(handle)


# --- Set-up ---------------------------------------------------------------------------------------------------------


def is_ready(kind: str) -> bool:
    """Tell whether .venv holds what this kind of set-up needs; cheap, since every command asks it."""
    if UNFINISHED.exists() or not inside(VENV, "python", os.name == "nt").exists():
        return False
    try:
        return bool(json.loads(STAMP.read_text(encoding="utf-8")).get(kind) == digest(kind, HERE))
    except (OSError, ValueError, AttributeError):
        return False


def must_go() -> str:
    """Return why an existing .venv cannot be built upon, or an empty string."""
    if UNFINISHED.exists():
        return "The last set-up was cut off"
    python = inside(VENV, "python", os.name == "nt")
    if not python.exists():
        return "The .venv here has lost its Python"
    probe = f"import sys, pip; sys.exit(0 if sys.version_info[:2] >= {OLDEST_PYTHON!r} else 3)"
    answer = subprocess.run([str(python), "-c", probe], capture_output=True, check=False).returncode
    if answer:
        return "The .venv here has too old a Python" if answer == 3 else "The .venv here does not work"
    try:
        folder = json.loads(STAMP.read_text(encoding="utf-8")).get("folder")
    except (OSError, ValueError, AttributeError):
        return ""
    return "" if folder == str(HERE) else "This folder was moved or copied since .venv was made"


def remove(venv: Path) -> None:
    """Delete a virtual environment, or the link to one."""
    try:
        if venv.is_symlink():
            venv.unlink()
        else:
            shutil.rmtree(str(venv))
    except OSError as error:
        raise SetUpStoppedError(
            f"Cannot remove {error.filename or venv}: {error.strerror}.\n"
            "End what runs from it, delete .venv by hand, and run the same command again."
        ) from None


def run_step(what: str, command: "list[str]", handle: int, total: int = 0) -> None:
    """Run one step of the set-up, its output in the log and, at a terminal, its progress on one line."""
    surroundings = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    surroundings.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PIP_USER="0", PYTHONUTF8="1")
    shown = sys.stderr.isatty()
    say(what)
    child = subprocess.Popen(
        command,
        cwd=str(HERE),
        env=surroundings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        pass_fds=() if os.name == "nt" else (handle,),  # an orphaned pip goes on holding the lock
    )
    assert child.stdout is not None
    output = []
    fetched = 0
    try:
        with LOG.open("a", encoding="utf-8") as log:
            log.write(f"\n$ {' '.join(command)}\n")
            for line in child.stdout:
                log.write(line)
                output.append(line.rstrip())
                if shown and line.startswith("Collecting "):
                    fetched += 1
                    print(f"\r  {fetched} of {total}: {line.split()[1]:<50.50}", end="", file=sys.stderr)
        child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
        if shown and fetched:
            print("\r" + " " * 70 + "\r", end="", file=sys.stderr)
    if child.returncode:
        raise SetUpStoppedError(f"{explain(output)}\nEverything that was said is in {LOG.relative_to(HERE)}")


def install(kind: str, handle: int) -> None:
    """Fill .venv from the lock files, then put the project itself in, as a link to this folder."""
    python = str(inside(VENV, "python", os.name == "nt"))
    pip = [python, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--progress-bar", "off"]
    locked = ["--require-hashes", "--only-binary", ":all:", "--no-binary", BUILT_HERE]
    count = len(re.findall(r"^\S+==", (HERE / LOCKS[kind]).read_text(encoding="utf-8"), re.MULTILINE))
    run_step("Fetching the build tools.", pip + locked + ["-r", BUILD_LOCK], handle)
    run_step(f"Fetching {count} packages.", pip + locked + ["-r", LOCKS[kind]], handle, count)
    run_step("Installing Dolen.", [*pip, "-e", "."], handle)


def base_python() -> str:
    """Return the Python to make .venv with: never one inside a virtual environment, which .venv would then lean on."""
    return getattr(sys, "_base_executable", "") or sys.executable


def set_up(kind: str) -> None:
    """Make .venv hold what `kind` needs; whatever cuts this off, the next call repairs it."""
    from importlib.util import find_spec

    lacking = missing_parts({name: find_spec(name) is not None for name in ("venv", "ensurepip")}, sys.version_info[:2])
    if lacking:
        raise SetUpStoppedError(lacking)
    with only_one(QUEUE) as handle:
        if is_ready(kind):
            return  # another run.py did it while we waited
        reason = must_go() if VENV.exists() or VENV.is_symlink() else ""
        if reason:
            say(reason + "; making it anew.")
            remove(VENV)
        fresh = not VENV.exists()
        VENV.mkdir(exist_ok=True)
        UNFINISHED.write_text("Set-up is under way, or was cut off. run.py puts it right.\n", encoding="utf-8")
        with contextlib.suppress(FileNotFoundError):
            STAMP.unlink()
        if fresh:
            run_step("Making .venv.", [base_python(), "-m", "venv", str(VENV)], handle)
        try:
            install(kind, handle)
        except SetUpStoppedError:
            UNFINISHED.unlink()  # pip ended by itself, so .venv is whole, if not complete: build on it next time
            raise
        # The lock for tests holds all that is needed to run, so it stands for both.
        ready = {covered: digest(covered, HERE) for covered in ("run", kind)}
        STAMP.write_text(json.dumps({**ready, "folder": str(HERE)}), encoding="utf-8")
        UNFINISHED.unlink()


# --- The command ----------------------------------------------------------------------------------------------------


def hand_over(program: "list[str]") -> int:
    """Run the command with our own streams; its exit code and its Ctrl-C are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(program[0], program)  # becomes the command, so signals reach it and nothing else
    child = subprocess.Popen(program)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            continue  # the console gave Ctrl-C to the command as well, which ends in its own way


def main(arguments: "list[str]") -> int:
    """Set up what is needed and run the command; returns the exit code."""
    complaint = wrong_python(sys.version_info[:3])
    if complaint:
        say(complaint)
        return 1
    if not arguments or arguments[0] in ("-h", "--help"):
        say(USAGE)
        return 0 if arguments else 2
    kind, program = route(arguments)
    try:
        if not is_ready(kind):
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that pip is ended with us
            set_up(kind)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
    except SetUpStoppedError as stopped:
        say(str(stopped))
        return 1
    except KeyboardInterrupt:
        say("Stopped before set-up was done. Run the same command again: it puts right what was left half made.")
        return 130
    if kind == "test":
        os.chdir(str(HERE))
        # Tests start hundreds of processes, each of which would compile every file anew.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return hand_over([str(inside(VENV, program[0], os.name == "nt")), *program[1:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
