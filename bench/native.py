"""Programs in C beside those by hand in Python: compiled on first use against the client's own librdkafka."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import confluent_kafka

from bench.process import BENCH, BenchmarkError
from wiesel.java.cache import cache_directory, exclusive

COMPILER = ("-O2", "-Wall", "-Wextra", "-Werror")


def program(name: str) -> Path:
    """The compiled ``baselines/<name>.c``; raises BenchmarkError where there is no compiler or library."""
    source = BENCH / "baselines" / f"{name}.c"
    # Where the wheel for Linux keeps the libraries that it brings along.
    bundled = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs")
    library = next(bundled.glob("librdkafka-*"), None)
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if library is None or compiler is None:
        raise BenchmarkError("the programs in C need a C compiler, and confluent-kafka from its wheel for Linux")
    made_of = source.read_bytes() + str(library).encode()
    binary = cache_directory("bench") / f"{name}-{hashlib.sha256(made_of).hexdigest()[:12]}"
    if not binary.exists():
        with exclusive(binary.parent):
            made = binary.with_suffix(".new")
            command = [compiler, *COMPILER, "-o", str(made), str(source), str(library), f"-Wl,-rpath,{bundled}"]
            done = subprocess.run(command, check=False, capture_output=True, text=True)
            if done.returncode:
                raise BenchmarkError(f"{source.name} does not compile:\n{done.stderr}")
            made.rename(binary)
    return binary
