"""An environment for each peer, from its lock file in requirements/, made on first use in Wiesel's cache directory.

.venv/bin/python -m bench.environments             # makes all of them (1.5 GB; Pathway alone is 1.3)
.venv/bin/python -m bench.environments --lock      # writes the lock files anew
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from bench.process import BENCH
from wiesel.java.cache import cache_directory, exclusive

REQUIREMENTS = BENCH / "requirements"
#: Peers, each with the extra that it needs for Kafka.
PACKAGES = {"bytewax": "[kafka]", "faust-streaming": "", "pathway": "", "quixstreams": ""}
UV = str(Path(sys.executable).with_name("uv"))


def python_of(package: str) -> Path:
    """The interpreter of the environment that has ``package``."""
    lock = REQUIREMENTS / f"{package}.txt"
    folder = cache_directory("bench") / f"{package}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    if not complete.exists():
        with exclusive(folder.parent):
            if not complete.exists():
                print(f"making an environment with {package} in {folder} (once)", file=sys.stderr)
                shutil.rmtree(folder, ignore_errors=True)
                subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True)
                install: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", python]
                subprocess.run([*install, "--require-hashes", "-r", lock], check=True)
                complete.touch()
    return python


def version_of(package: str) -> str:
    """The locked version of ``package``."""
    for line in (REQUIREMENTS / f"{package}.txt").read_text().splitlines():
        if line.startswith(f"{package}=="):
            return line.removeprefix(f"{package}==").split()[0]
    raise ValueError(f"{package} is not in its own lock file")


def lock_anew() -> None:
    """Resolve the newest versions."""
    for package, extra in PACKAGES.items():
        command = [UV, "pip", "compile", "-", "--quiet", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-emit-index-url", "--no-annotate", "--no-header", "-o", str(REQUIREMENTS / f"{package}.txt")]
        subprocess.run(command, input=package + extra, text=True, check=True)


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lock", action="store_true")
    if options.parse_args().lock:
        lock_anew()
    else:
        for name in PACKAGES:
            python_of(name)
