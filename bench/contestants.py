"""Who takes part: commands, settings and environments of Wiesel, of the same work by hand, and of the peers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from bench.environments import python_of, version_of
from bench.native import program
from bench.process import BENCH, environment, wiesel_job

#: What PyFlink gets for keyed state in Python: caches that hold all keys, bundles a hundred times the default.
TUNED = {
    "python.state.cache-size": "200000",
    "python.fn-execution.bundle.size": "100000",
    "python.fn-execution.bundle.time": "1000",
    "python.fn-execution.arrow.batch.size": "100000",
    "pipeline.object-reuse": "true",
}
ONE_SLOT = {"parallelism.default": "1", "rest.port": "0", "rest.bind-port": "0"}


@dataclass(frozen=True)
class Contestant:
    """A program or engine that does a work.

    Args:
        name: as tables show it.
        command: makes the command from a script's name and arguments.
        variables: of its processes; None are ours.
        share: of the records that Wiesel gets; slow ones would take minutes.
        never_ends: it is stopped when its output is complete.
        last_counts: it writes a key's newest count now and then instead of each.
        is_tree: it leaves processes behind that have to be waited for.
        version: of the peer.
    """

    name: str
    command: Callable[[str, Sequence[str]], list[str]]
    variables: Callable[[], Mapping[str, str]] = environment
    share: float = 1.0
    never_ends: bool = False
    last_counts: bool = False
    is_tree: bool = False
    version: str = ""


def wiesel(*options: str, name: str = "Wiesel", parallelism: int = 1) -> Contestant:
    """``wiesel run`` with more options."""

    def command(script: str, arguments: Sequence[str]) -> list[str]:
        head, run, *rest = wiesel_job(script, *arguments, parallelism=parallelism)
        return [head, run, *options, *rest]

    return Contestant(name, command)


def _by_hand(script: str, arguments: Sequence[str]) -> list[str]:
    return [sys.executable, str(BENCH / "baselines" / f"{script}.py"), *arguments]


def _in_c(script: str, arguments: Sequence[str]) -> list[str]:
    return [str(program(script)), *arguments]


def _peer(package: str, suffix: str, script: str, arguments: Sequence[str]) -> list[str]:
    return [str(python_of(package)), str(BENCH / "peers" / f"{script}_{suffix}.py"), *arguments]


@cache
def _pyflink_variables() -> Mapping[str, str]:
    from tests.parity.reference import make_reference, with_connectors

    return with_connectors(make_reference().variables)


def _pyflink_command(settings: Mapping[str, str], script: str, arguments: Sequence[str]) -> list[str]:
    from tests.parity.reference import make_reference

    given = [f"{key}={value}" for key, value in {**ONE_SLOT, **settings}.items()]
    runner, job = BENCH / "peers" / "with_pyflink.py", BENCH / "jobs" / f"{script}.py"
    return [str(make_reference().python), str(runner), *given, str(job), *arguments]


def pyflink(name: str, share: float, **settings: str) -> Contestant:
    """The same script on PyFlink."""
    keys = {key.replace("__", "-").replace("_", "."): value for key, value in settings.items()}
    return _pyflink(name, share, keys)


def _pyflink(name: str, share: float, settings: Mapping[str, str]) -> Contestant:
    return Contestant(
        name, partial(_pyflink_command, settings), _pyflink_variables, share=share, is_tree=True, version="2.3.0"
    )


def other(package: str, suffix: str, name: str, share: float, **traits: Any) -> Contestant:
    """A peer with a script of its own."""
    return Contestant(name, partial(_peer, package, suffix), share=share, version=version_of(package), **traits)


BY_HAND = Contestant("by hand", _by_hand)
IN_C = Contestant("in C", _in_c)
WIESEL = wiesel()
PYFLINK_THREAD = _pyflink("PyFlink thread", 0.1, {**TUNED, "python.execution-mode": "thread"})
PYFLINK_TUNED = _pyflink("PyFlink process, tuned", 0.02, TUNED)
PYFLINK_PROCESS = _pyflink("PyFlink process", 0.004, {})
QUIX = other("quixstreams", "quix", "Quix Streams", 0.3)
BYTEWAX = other("bytewax", "bytewax", "Bytewax", 0.4)
PATHWAY = other("pathway", "pathway", "Pathway", 1.0, never_ends=True, last_counts=True)
FAUST = other("faust-streaming", "faust", "Faust (faust-streaming)", 0.05, never_ends=True)


def script_of(path: str) -> Path:
    """A script of the suite, for messages."""
    return BENCH / path
