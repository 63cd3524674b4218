"""
Class data sharing: loaded classes dumped once, mapped by every later start (JDK: `-Xshare:dump`).

It halves the start of a program of thousands of classes. An archive is made on the user's machine, from jars that were
just verified, for one Java and one class path, and lies in the same private cache as those jars. The JVM checks that it
fits and does without it if it does not.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wiesel.java.cache import exclusive
from wiesel.java.jars import Report
from wiesel.java.runtime import JavaRuntime

DUMP_SECONDS = 300


def class_archive(
    name: str, java: JavaRuntime, class_path: Sequence[Path], class_list: Path, directory: Path, report: Report
) -> Path | None:
    """
    The archive for exactly this Java and class path, made now if `directory` lacks it (5 s, once a machine).

    None if this Java cannot make one, which costs start-up time and nothing else; `report` is told the reason.

    Args:
        name: first part of the file's name.
        java: the runtime that will use it.
        class_path: the jars, in the order in which the program will get them.
        class_list: the classes to archive, as `-XX:DumpLoadedClassList` writes them.
        directory: where archives are kept.
        report: told about the work.
    """
    inputs = [str(java.executable), java.version, class_list.read_text(encoding="utf-8"), *map(str, class_path)]
    key = hashlib.sha256("\n".join(inputs).encode()).hexdigest()[:16]
    archive = directory / f"{name}-{key}.jsa"
    if not archive.exists():
        with exclusive(directory):
            if not archive.exists() and not _dump(java, class_path, class_list, archive, report):
                return None
    return archive


def _dump(java: JavaRuntime, class_path: Sequence[Path], class_list: Path, archive: Path, report: Report) -> bool:
    report("archiving classes for quicker starts (once)", 0, 0)
    scratch = Path(tempfile.mkdtemp(prefix=".dump-", dir=archive.parent))
    # Only this collector can archive objects too; programs that run with another one can still load them.
    options = ["-Xshare:dump", "-XX:+UseG1GC", "-XX:-UsePerfData", f"-XX:SharedClassListFile={class_list}"]
    command: list[str | Path] = [java.executable, *options]
    command += [f"-XX:SharedArchiveFile={scratch / archive.name}"]
    command += ["-cp", ":".join(str(jar) for jar in class_path)]
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            cwd=scratch,
            umask=0o077,
            timeout=DUMP_SECONDS,
            check=False,
        )
        if answer.returncode == 0:
            (scratch / archive.name).rename(archive)
            return True
        said = re.search(r"[^\n]*\berror\b[^\n]*", answer.stdout + answer.stderr, re.IGNORECASE)
        reason = f"Java ended with {answer.returncode}" + (f" ({said[0].strip('# ')})" if said else "")
    except subprocess.TimeoutExpired:
        reason = f"not done after {DUMP_SECONDS} s"
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    report(f"no archive of classes, so starts are slower: {reason}", 0, 0)
    return False
