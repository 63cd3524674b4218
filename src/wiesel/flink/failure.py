"""Why a script failed on Flink, as Wiesel shows its own failures: the user's frames first, then one line. Pure.

PyFlink reports an exception of a user's function as Java's stack trace of a hundred lines with Python's traceback
somewhere in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_BEGINS: Final = "Traceback (most recent call last):"
#: Frames of the engine's own Python: packages of PyFlink's environment, and its compiled parts, which name no folder.
_ENGINE: Final = re.compile(
    r"[/\\]site-packages[/\\](pyflink|apache_beam|py4j|cloudpickle|grpc)[/\\]|^(pyflink|apache_beam)/|"
    r"[/\\]wiesel[/\\]flink[/\\]driver\.py$|^<frozen |[/\\]lib[/\\]python3\.\d+[/\\](threading|concurrent|runpy)"
)
_FRAME: Final = re.compile(r'  File "(?P<file>[^"]*)", line \d+')
_JAVA_FRAME: Final = re.compile(r"\s*(at [\w.$/<>]+\(|\.\.\. \d+ more)")
#: Where a worker unpacks the folder that neighbours.copy_neighbours has filled.
_COPY: Final = re.compile(r'File "[^"]*/python-files/(?:[^"/]+/)*?modules/(?:modules/)?')
_LAST_LINE: Final = re.compile(r"[A-Za-z_][\w.]*(:|$)")
_JAVA_CLASS: Final = re.compile(r"(?:[\w$]+\.)+([\w$]+)")

#: What to do about failures that are known: a pattern of the trace, and the advice.
_ADVICE: Final = (
    (
        r"NoResourceAvailableException|Could not acquire the minimum required resources",
        "The cluster has too few free slots: lower -p, stop other jobs, or start it with more (`wiesel flink up "
        "--taskmanagers N`).",
    ),
    (
        r"ModuleNotFoundError: No module named 'wiesel'",
        "Flink has nothing of Wiesel's own: `wiesel check --target flink-2.3` names each place and what to write.",
    ),
    (
        r"ModuleNotFoundError: No module named",
        "Modules beside the script that it imports are sent along, others have to be named: --py-files, or a "
        "requirements.txt beside the script.",
    ),
    (
        r"ClassNotFoundException|NoClassDefFoundError|Could not found the Java class",
        "A jar is missing on Flink: name it in the script with env.add_jars('file:///...').",
    ),
    (
        r"Timed out waiting for a node assignment|Failed to (?:get metadata for|list subscribed) topics?",
        "The brokers do not answer from there: check bootstrap servers, as the cluster's machines see them.",
    ),
    (
        r'Cannot run program "',
        "The cluster's machines have no such Python: -c python.executable=PATH names theirs.",
    ),
)


@dataclass(frozen=True)
class Failure:
    """What to show.

    Args:
        traceback: the user's frames with the exception's own last line, ending with a newline; may be empty.
        message: one line that says what happened, and what to do if that is known.
        full: everything, Java's frames included.
    """

    traceback: str
    message: str
    full: str


def explain(report: Mapping[str, Any], task: str | None = None, root: str = "") -> Failure:
    """Return what to show of a driver's report.

    Args:
        report: as `driver.failure` makes it.
        task: the task that failed, if the cluster has told.
        root: the folder of the script's neighbours, of which workers run copies.
    """
    java, full = report["java"], str(report["full"])
    advice = _advice(java or str(report["last"]))
    if java is None:
        shown = _of_the_users(_client_traceback(report))
        return Failure(shown, _sentences("the script failed", advice), full)
    where = f" in '{task}'" if task else ""
    if worker := python_traceback(java):
        worker = _COPY.sub(lambda _: f'File "{root}/', worker)
        return Failure(_of_the_users(worker), _sentences(f"the job failed on Flink{where}", advice), full)
    return Failure(_of_the_users(_client_frames(report)), _sentences(f"Flink{where}: {root_cause(java)}", advice), full)


def python_traceback(trace: str) -> str | None:
    """The innermost Python traceback in Java's stack trace, as its process printed it."""
    start = trace.rfind(_BEGINS)
    if start < 0:
        return None
    kept: list[str] = []
    for line in trace[start:].splitlines():
        if _JAVA_FRAME.match(line):
            break
        kept.append(line)
    return "\n".join(kept).rstrip() + "\n"


def root_cause(trace: str) -> str:
    """The innermost exception of Java's stack trace, by its short name, with its message's first line."""
    causes = re.findall(r"^\s*Caused by: (.*)$", trace, re.MULTILINE)
    if not causes:
        causes = re.findall(r"^:? ?((?:[\w$]+\.)+[\w$]+(?::.*)?)$", trace, re.MULTILINE)[:1] or [trace.strip()]
    return _JAVA_CLASS.sub(r"\1", str(causes[-1]).partition("\n")[0].strip(), count=1)


def _client_traceback(report: Mapping[str, Any]) -> str:
    return _client_frames(report) + f"{report['last']}\n"


def _client_frames(report: Mapping[str, Any]) -> str:
    frames = [
        f'  File "{file}", line {number}, in {name}\n' + (f"    {text.strip()}\n" if text else "")
        for file, number, name, text in report["frames"]
    ]
    return "".join([f"{_BEGINS}\n", *frames])


def _of_the_users(traceback: str) -> str:
    """The traceback without the engine's frames; nothing at all if no frame and no last line is left."""
    lines = traceback.splitlines()
    kept = list(_without_engine(lines[1:]))
    if not kept:
        return ""
    has_frames = any(_FRAME.match(line) for line in kept)
    return "\n".join([*([lines[0]] if has_frames else []), *kept]) + "\n"


def _without_engine(lines: Iterable[str]) -> Iterable[str]:
    skipping = False
    for line in lines:
        if frame := _FRAME.match(line):
            skipping = _ENGINE.search(frame["file"]) is not None
        elif _LAST_LINE.match(line):
            skipping = False
        if not skipping:
            yield line


def _advice(trace: str) -> str:
    return next((advice for pattern, advice in _ADVICE if re.search(pattern, trace)), "")


def _sentences(what: str, advice: str) -> str:
    return f"{what.rstrip('. ')}. {advice}".rstrip() if advice else what
