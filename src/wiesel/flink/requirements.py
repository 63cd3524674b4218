"""The script's own requirements: installed beside PyFlink for the script, and named to a cluster's workers."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

from wiesel.flink.environment import LOCK, FlinkEnvironment, run_pip
from wiesel.flink.errors import FlinkConfigurationError, FlinkError
from wiesel.java.cache import cache_directory, exclusive
from wiesel.java.jars import Report

#: What a requirements.txt may name, and what is there already or has no use on Flink.
_PROVIDED = re.compile(r"(wiesel|apache[-_.]flink)\b(?![-_.])", re.IGNORECASE)
#: Lines of a requirements.txt that name a file.
_OTHER_FILES = re.compile(r"\s*(-r|-c|-e|--requirement|--constraint|--editable|\.{0,2}/)")


def own_requirements(text: str) -> str:
    """The text without what the environment brings anyway, and without comments; empty if nothing is left.

    Raises FlinkConfigurationError for lines that lead to other files: the text travels alone.
    """
    lines = [re.sub(r"(^|\s)#.*", "", line).rstrip() for line in text.splitlines()]
    if elsewhere := next((line for line in lines if _OTHER_FILES.match(line)), None):
        raise FlinkConfigurationError(
            f"requirements.txt says '{elsewhere}', and other files do not reach a cluster's workers: write the "
            "packages into one file and name it with --requirements; --py-files sends modules of your own."
        )
    return "".join(f"{line}\n" for line in lines if line and not _PROVIDED.match(line.lstrip()))


def install_requirements(text: str, environment: FlinkEnvironment, report: Report) -> Path:
    """Return a folder with the packages of `text`, installed now if the cache lacks it.

    Versions of packages that PyFlink has, too, have to be PyFlink's: one process cannot have both.
    """
    parts = (text, LOCK.read_text(encoding="utf-8"), str(environment.folder))
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    directory = cache_directory("pyflink", "requirements")
    folder = directory / key
    if not folder.exists():
        with exclusive(directory):
            if not folder.exists():
                _install(text, folder, environment, report)
    return folder


def _install(text: str, folder: Path, environment: FlinkEnvironment, report: Report) -> None:
    making = folder.with_name(f"{folder.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    try:
        _install_into(making, text, environment, report)
        (making / "packages").rename(folder)
    except FlinkError as error:
        raise FlinkError(
            f"{error}\nOne process has PyFlink's packages and these: where both name one, it has to be PyFlink's "
            f"version, as {LOCK.name} of wiesel.flink lists them."
        ) from error
    finally:
        shutil.rmtree(making)


def _install_into(making: Path, text: str, environment: FlinkEnvironment, report: Report) -> None:
    named = making / "requirements.txt"
    named.write_text(text, encoding="utf-8")
    constraints = making / "constraints.txt"
    constraints.write_text(
        "\n".join(re.findall(r"^([\w.-]+==[^\s\\]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)), encoding="utf-8"
    )
    where: list[str | Path] = ["--target", making / "packages", "-c", constraints, "-r", named]
    run_pip(environment.python, where, report, "installing the script's requirements", text.count("\n"))
