"""run.py, the first thing that a newcomer meets: what it decides, what it says, and how it mends what was cut off.

Each test works on a copy in a folder of its own, so that nothing here can touch the environment that runs the tests.
One test makes a real virtual environment with pip kept from every index; the rest stand in for pip.
"""

import ast
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

PARTS = ("run.py", "pyproject.toml", "requirements.lock", "requirements-dev.lock", "requirements-build.lock")


@pytest.fixture
def copy(tmp_path: Path, root: Path) -> Path:
    """A project folder as a fresh clone would have it, as far as run.py looks."""
    folder = tmp_path / "a clone"  # with a space, as Windows users have
    folder.mkdir()
    for part in PARTS:
        shutil.copy(root / part, folder / part)
    return folder


@pytest.fixture
def run(copy: Path) -> ModuleType:
    """run.py, loaded from the copy."""
    spec = importlib.util.spec_from_file_location("run_of_a_clone", copy / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- What it says -----------------------------------------------------------------------------------------------------


def test_an_old_python_can_read_the_file_and_gets_a_sentence(run: ModuleType, copy: Path) -> None:
    ast.parse((copy / "run.py").read_text(encoding="utf-8"), feature_version=(3, 7))
    assert run.wrong_python((3, 10, 13)).startswith("Dolen needs Python 3.11 or newer; this is Python 3.10.13.")
    assert run.wrong_python((3, 11, 0)) == run.wrong_python((3, 13, 2)) == run.wrong_python((4, 0, 0)) == ""


def test_only_the_standard_library_is_imported(copy: Path) -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse((copy / "run.py").read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


def test_a_python_without_venv_is_told_what_to_install(run: ModuleType) -> None:
    assert run.missing_parts({"venv": True, "ensurepip": True}, (3, 11)) == ""
    told = run.missing_parts({"venv": True, "ensurepip": False}, (3, 11))
    assert "without ensurepip" in told
    assert "sudo apt install python3.11-venv" in told


@pytest.mark.parametrize(
    ("pip_said", "told"),
    [
        (
            [
                "Collecting kombu==5.7.0",
                "  WARNING: Retrying after connection broken by 'NewConnectionError: failure in name resolution'",
                "ERROR: Could not find a version that satisfies the requirement kombu==5.7.0 (from versions: none)",
                "ERROR: No matching distribution found for kombu==5.7.0",
            ],
            "Could not fetch kombu==5.7.0: the package index cannot be reached",
        ),
        (
            ["Collecting lxml==6.1.3", "ProxyError('Cannot connect to proxy.', OSError('407'))"],
            "Could not fetch lxml==6.1.3: the package index cannot be reached",
        ),
        (
            ["Collecting lxml==6.1.3", "SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed')"],
            "Could not fetch lxml==6.1.3: the certificate of the package index is not trusted here",
        ),
        (
            ["ERROR: No matching distribution found for orjson==3.13.0"],
            "Could not fetch orjson==3.13.0: no place that pip may look in offers it",
        ),
        (
            ["Collecting rich==15.0.0", "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE."],
            "What was downloaded for rich==15.0.0 is not what the lock file names",
        ),
        (["ERROR: Could not install packages: [Errno 28] No space left on device"], "The disk is full"),
        (["ERROR: [WinError 32] The process cannot access the file"], "A file in .venv is in use"),
        (["one", "", "ERROR: something new"], "Set-up stopped, and these are the last words"),
    ],
)
def test_what_pip_says_becomes_a_plain_sentence(run: ModuleType, pip_said: list[str], told: str) -> None:
    assert run.explain(pip_said).startswith(told)


# --- What it decides --------------------------------------------------------------------------------------------------


def test_words_go_to_pytest_or_to_dolen(run: ModuleType) -> None:
    assert run.route(["test", "-k", "ledger"]) == ("test", ["pytest", "-k", "ledger"])
    assert run.route(["test"]) == ("test", ["pytest", "-n", str(run.processes(os.cpu_count())), "--dist", "loadgroup"])
    assert [run.processes(cores) for cores in (None, 1, 2, 64)] == [2, 2, 4, 8]
    assert run.route(["demo", "--json"]) == ("run", ["dolen", "demo", "--json"])
    assert run.route(["trace", "test"]) == ("run", ["dolen", "trace", "test"])


def test_programs_are_where_each_system_keeps_them(run: ModuleType) -> None:
    assert run.inside(Path("v"), "dolen", windows=False) == Path("v/bin/dolen")
    assert run.inside(Path("v"), "dolen", windows=True) == Path("v/Scripts/dolen.exe")


def test_only_what_reaches_the_installation_causes_an_installation(run: ModuleType, copy: Path) -> None:
    def change(name: str, text: str) -> tuple[bool, bool]:
        before = run.digest("run", copy), run.digest("test", copy)
        with (copy / name).open("a", encoding="utf-8") as file:
            file.write(text)
        return run.digest("run", copy) != before[0], run.digest("test", copy) != before[1]

    assert change("pyproject.toml", "\n[tool.something]\nnew = true\n") == (False, False)
    assert change("pyproject.toml", "\n[project.urls]\nsource = 'https://example.org'\n") == (True, True)
    assert change("requirements-dev.lock", "# changed\n") == (False, True)
    assert change("requirements.lock", "# changed\n") == (True, True)
    assert change("requirements-build.lock", "# changed\n") == (True, True)
    assert run.digest("run", copy) != run.digest("test", copy)


# --- What it makes, and mends -----------------------------------------------------------------------------------------


@pytest.fixture
def steps(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The steps that were taken, with a stand-in for venv and pip: making .venv gives it this very Python."""
    taken: list[str] = []

    def take(what: str, command: list[str], handle: int, total: int = 0) -> None:
        assert run.UNFINISHED.exists(), "whatever cuts this step off must be seen afterwards"
        taken.append(what)
        if command[1:3] == ["-m", "venv"]:
            python = run.inside(run.VENV, "python", os.name == "nt")
            python.parent.mkdir()
            python.symlink_to(sys.executable)

    monkeypatch.setattr(run, "run_step", take)
    return taken


WHOLE = ["Making .venv.", "Fetching the build tools.", "Installing Dolen."]


def without_counts(steps: list[str]) -> list[str]:
    return [step for step in steps if not step.endswith("packages.")]


def test_a_second_run_installs_nothing(run: ModuleType, steps: list[str]) -> None:
    assert not run.is_ready("run")
    run.set_up("run")
    assert run.is_ready("run")
    assert not run.is_ready("test")
    assert without_counts(steps) == WHOLE
    steps.clear()
    run.set_up("run")
    assert steps == []


def test_tests_add_to_what_the_demo_made_and_stand_for_both(run: ModuleType, steps: list[str]) -> None:
    run.set_up("run")
    steps.clear()
    run.set_up("test")
    assert "Making .venv." not in steps
    assert run.is_ready("test")
    assert run.is_ready("run")


def test_a_set_up_that_was_cut_off_is_made_anew(
    run: ModuleType, steps: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as cut:
        cut.setattr(run, "install", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            run.set_up("run")
    half = run.VENV / "half-written"
    half.touch()
    assert not run.is_ready("run")
    steps.clear()
    run.set_up("run")
    assert without_counts(steps) == WHOLE
    assert not half.exists()
    assert run.is_ready("run")
    assert "The last set-up was cut off; making it anew." in capsys.readouterr().err


def test_a_set_up_that_failed_in_order_is_built_upon(
    run: ModuleType, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*_: object) -> None:
        raise run.SetUpStoppedError("no network")

    with monkeypatch.context() as cut:
        cut.setattr(run, "install", no_network)
        with pytest.raises(run.SetUpStoppedError):
            run.set_up("run")
    assert not run.is_ready("run")
    assert run.must_go() == ""
    steps.clear()
    run.set_up("run")
    assert "Making .venv." not in steps


def test_a_changed_lock_installs_again_into_the_same_venv(run: ModuleType, steps: list[str], copy: Path) -> None:
    run.set_up("run")
    with (copy / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    assert not run.is_ready("run")
    steps.clear()
    run.set_up("run")
    assert without_counts(steps) == WHOLE[1:]
    assert run.is_ready("run")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda run: run.inside(run.VENV, "python", os.name == "nt").unlink(), "has lost its Python"),
        (lambda run: run.STAMP.write_text('{"folder": "/elsewhere"}', encoding="utf-8"), "was moved or copied"),
    ],
)
def test_a_venv_that_cannot_work_is_made_anew(run: ModuleType, steps: list[str], damage, told: str) -> None:  # type: ignore[no-untyped-def]
    run.set_up("run")
    damage(run)
    assert told in run.must_go()
    run.set_up("run")
    assert run.must_go() == ""
    assert run.is_ready("run")


def test_a_stamp_that_is_nonsense_counts_as_none(run: ModuleType, steps: list[str]) -> None:
    run.set_up("run")
    for nonsense in ("", "[]", "{", "7"):
        run.STAMP.write_text(nonsense, encoding="utf-8")
        assert not run.is_ready("run")
        run.set_up("run")
        assert run.is_ready("run")


def test_two_at_once_take_turns_and_a_killed_one_holds_up_nobody(run: ModuleType, copy: Path) -> None:
    code = (
        "import importlib.util, sys, time; from pathlib import Path\n"
        "spec = importlib.util.spec_from_file_location('run', sys.argv[1])\n"
        "run = importlib.util.module_from_spec(spec); spec.loader.exec_module(run)\n"
        "with run.only_one(Path(sys.argv[2])):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    queue = copy / "queue"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(copy / "run.py"), str(queue)], stdout=subprocess.PIPE, encoding="utf-8"
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        handle = os.open(queue, os.O_RDWR)
        try:
            assert not run.try_lock(handle)
            other.kill()
            other.wait()
            assert run.try_lock(handle)
        finally:
            os.close(handle)


# --- The whole of it, as a process ------------------------------------------------------------------------------------


def test_without_a_word_it_says_what_it_can_do(copy: Path) -> None:
    bare = subprocess.run([sys.executable, "run.py"], cwd=copy, capture_output=True, encoding="utf-8", check=False)
    assert bare.returncode == 2
    assert "python run.py demo" in bare.stderr
    assert not (copy / ".venv").exists()


def test_without_any_package_index_it_says_so_plainly(copy: Path, tmp_path: Path) -> None:
    surroundings = {**os.environ, "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    surroundings.pop("PIP_FIND_LINKS", None)
    tried = subprocess.run(
        [sys.executable, str(copy / "run.py"), "demo", "--json"],
        cwd=tmp_path,
        env=surroundings,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert tried.returncode == 1
    assert tried.stdout == "", "standard output is the command's alone"
    assert "Making .venv." in tried.stderr
    assert "Could not fetch editables==" in tried.stderr
    assert "PIP_NO_INDEX" in tried.stderr
    assert "Traceback" not in tried.stderr
    assert "$ " in (copy / ".venv" / "dolen-set-up.log").read_text(encoding="utf-8")
    assert not (copy / ".venv" / "dolen-unfinished").exists(), "an orderly failure is built upon next time"


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for dolen is a script, which Windows cannot start")
@pytest.mark.parametrize(("sent", "expected"), [(None, 7), (signal.SIGINT, 42), (signal.SIGTERM, -signal.SIGTERM)])
def test_the_command_gets_its_words_and_signals_and_gives_its_exit_code(
    run: ModuleType, steps: list[str], copy: Path, tmp_path: Path, sent: signal.Signals | None, expected: int
) -> None:
    run.set_up("run")
    program = copy / ".venv" / "bin" / "dolen"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{copy / "dolen.py"}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    (copy / "dolen.py").write_text(
        "import os, sys, time\n"
        "try:\n"
        "    print(os.getcwd(), sys.argv[1:], flush=True)\n"
        "    time.sleep(60 if sys.argv[-1] == 'stay' else 0)\n"
        "except KeyboardInterrupt:\n"
        "    sys.exit(42)\n"
        "sys.exit(7)\n",
        encoding="utf-8",
    )
    words = ["status", "two words", "stay" if sent else "go"]
    with subprocess.Popen(
        [sys.executable, str(copy / "run.py"), *words], cwd=tmp_path, stdout=subprocess.PIPE, encoding="utf-8"
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == f"{tmp_path} {words}\n"
        if sent:
            started.send_signal(sent)
        assert started.wait(timeout=60) == expected
