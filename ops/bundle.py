"""An offline bundle: the source and every package that it runs on, in one file, for a network that reaches no index.

`.venv/bin/python ops/bundle.py dolen-offline.tar.gz` on a machine that reaches an index and is of the same kind
(system, processor, Python) as the one without. There: unpack, set the two variables that OFFLINE.txt names, and go on
as with the source. Every package is fetched by the hash that the lock files name and is checked by it again when it is
installed. Standard library alone, and pip.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
LOCKS = ("requirements-build.lock", "requirements.lock")
#: Kept beside the packages in the bundle, so that whoever unpacks it need not look elsewhere.
README = """Dolen, with all that it runs on.

    export PIP_NO_INDEX=1 PIP_FIND_LINKS="$PWD/wheels"
    python3 run.py demo

On Windows, in PowerShell:

    $env:PIP_NO_INDEX = "1"; $env:PIP_FIND_LINKS = "$PWD\\wheels"
    py run.py demo

It was made for {kind}. Where TLS is inspected, name your own CA bundle as docs/install.md says.
"""


def kind() -> str:
    """For what machine the packages are that this Python fetches."""
    return f"{sys.platform}, Python {sys.version_info.major}.{sys.version_info.minor}"


def fetched(folder: Path) -> list[Path]:
    """Fetch what the locks name into a folder, each by its hash. Raises CalledProcessError."""
    for lock in LOCKS:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes", "--no-deps"]
        # What is published as source alone is built where it is installed, with what the build lock brings.
        subprocess.run([*command, "--no-build-isolation", "-r", str(HERE / lock), "-d", str(folder)], check=True)
    return sorted(folder.iterdir())


def tracked() -> list[str]:
    """The files of the source, as git knows them. Raises CalledProcessError."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=HERE, check=True, capture_output=True)
    return [name for name in listed.stdout.decode().split("\0") if name]


def bundle(target: Path) -> int:
    """Write the bundle and return how many packages are in it."""
    top = "dolen-offline"
    with tempfile.TemporaryDirectory() as folder, tarfile.open(target, "w:gz") as made:
        packages = fetched(Path(folder))
        for name in tracked():
            made.add(HERE / name, f"{top}/{name}", recursive=False)
        for package in packages:
            made.add(package, f"{top}/wheels/{package.name}")
        words = README.format(kind=kind()).encode()
        info = tarfile.TarInfo(f"{top}/OFFLINE.txt")
        info.size = len(words)
        made.addfile(info, io.BytesIO(words))
    return len(packages)


def main(arguments: list[str]) -> int:
    """Exit codes: 0 done, 1 something could not be fetched, 2 wrong use."""
    if len(arguments) != 1 or not arguments[0].endswith(".tar.gz"):
        sys.stderr.write("usage: python ops/bundle.py FILE.tar.gz\n")
        return 2
    target = Path(arguments[0])
    if target.exists():
        sys.stderr.write(f"{target} is there already: name another file\n")
        return 2
    try:
        packages = bundle(target)
    except subprocess.CalledProcessError as fault:
        target.unlink(missing_ok=True)
        sys.stderr.write(f"The bundle could not be made: {' '.join(fault.cmd[:4])} ... ended with {fault.returncode}\n")
        return 1
    sys.stdout.write(f"{target}: the source and {packages} packages for {kind()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
