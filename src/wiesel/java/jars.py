"""Pinned jars in the cache: what is missing is fetched with jgo, and every jar is verified before every use."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from wiesel.java.cache import exclusive
from wiesel.java.errors import JarError
from wiesel.java.lockfile import LockedJar

DOWNLOADS_AT_ONCE = 6
DOWNLOAD_TIMEOUT_SECONDS = 60
DOWNLOAD_ATTEMPTS = 2

Report = Callable[[str, int, int], None]
"""Called as work goes on: what is being done, how many parts are done, of how many (0: not known)."""


def fetch_jars(jars: Sequence[LockedJar], directory: Path, report: Report) -> list[Path]:
    """
    The verified files of `jars`, in the same order, downloading into `directory` those that it lacks.

    A file appears under its name only after its SHA-512 was right (rename), so a killed download leaves nothing
    that a later start would take for a jar. A file whose digest has changed since is an error and never replaced
    silently: whoever can change it can change more.
    """
    if missing := verify_jars(jars, directory):
        with exclusive(directory):
            # Another process may have fetched them while this one waited for the lock.
            missing = verify_jars(missing, directory)
            if missing:
                _download(missing, directory, report)
    return [directory / jar.file_name for jar in jars]


def verify_jars(jars: Sequence[LockedJar], directory: Path) -> list[LockedJar]:
    """The jars that `directory` lacks; raises JarError when one that it has is not the one of the lock file."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # hashlib releases the GIL
        digests = list(pool.map(lambda jar: _sha512(directory / jar.file_name), jars))
    for jar, digest in zip(jars, digests, strict=True):
        if digest is not None and digest != jar.sha512:
            raise JarError(
                f"{directory / jar.file_name} is not {jar.coordinate} as locked: its SHA-512 differs. "
                "It was damaged or changed after it was fetched: find out which, delete the file, and start again."
            )
    return [jar for jar, digest in zip(jars, digests, strict=True) if digest is None]


def _sha512(path: Path) -> str | None:
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
            return hashlib.file_digest(file, "sha512").hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JarError(f"cannot read {path}: {error.strerror}. Delete it, and start again.") from error


def _download(jars: Sequence[LockedJar], directory: Path, report: Report) -> None:
    staging = Path(tempfile.mkdtemp(prefix=".fetch-", dir=directory))
    report("fetching jars from Maven Central", 0, len(jars))
    try:
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            tasks = {pool.submit(_fetch_one, jar, staging, directory): jar for jar in jars}
            try:
                for done, task in enumerate(as_completed(tasks), start=1):
                    task.result()
                    report("fetching jars from Maven Central", done, len(jars))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _fetch_one(jar: LockedJar, staging: Path, directory: Path) -> None:
    for attempt in range(1, DOWNLOAD_ATTEMPTS + 1):
        try:
            # Each attempt has a directory of its own: jgo would take what a broken one left for the jar.
            fetched = _fetch_verified(jar, staging / str(attempt))
            break
        except JarError:
            if attempt == DOWNLOAD_ATTEMPTS:
                raise
    fetched.chmod(0o600)
    fetched.rename(directory / jar.file_name)


def _fetch_verified(jar: LockedJar, repository: Path) -> Path:
    from wiesel.java.maven import download

    fetched = download(jar.coordinate, repository, DOWNLOAD_TIMEOUT_SECONDS, jar.packaging)
    if _sha512(fetched) != jar.sha512:
        raise JarError(
            f"{jar.coordinate} came with another SHA-512 than the lock file's, and was not kept. A broken "
            "connection, or a proxy or mirror that changes files, are the usual causes: try again without them."
        )
    return fetched
