"""Places where a test lets this process die, and rules of the exactly-once protocol that a test switches off.

Both are read from the environment once and cost a call of an empty function when unset. They exist so that the kill
harness can prove its guarantees: ``WIESEL_FAILPOINT=P5@2`` kills the process with SIGKILL at the second time it passes
P5; ``WIESEL_ABLATE=rule5,rule8`` switches rules off, and the harness must then fail. Never set them elsewhere.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Final

_ABLATED: Final = frozenset(filter(None, os.environ.get("WIESEL_ABLATE", "").split(",")))


def _counted(specification: str, action: Callable[[], None]) -> Callable[[str], None]:
    """Return a function that does ``action`` the k-th time it is called with the name in ``name@k``."""
    name, _, count = specification.partition("@")
    remaining = int(count or 1)

    def passes(passed: str) -> None:
        nonlocal remaining
        if passed == name:
            remaining -= 1
            if remaining == 0:
                action()

    return passes


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _pass(passed: str) -> None:
    """Do nothing: no failpoint is set."""


def _pass_timed(passed: str, seconds: float) -> None:
    """Do nothing: no failpoint is set."""


def _hit_soon(passed: str, seconds: float) -> None:
    if passed == _SPECIFICATION.partition("@")[0]:
        threading.Timer(seconds, hit, (passed,)).start()


def _stall(passed: str, seconds: float) -> None:
    _counted_stall(passed)
    if _stalled:
        _stalled.clear()
        time.sleep(seconds)


_SPECIFICATION: Final = os.environ.get("WIESEL_FAILPOINT", "")
_stalled: Final[list[bool]] = []
_counted_stall: Final = _counted(_SPECIFICATION, lambda: _stalled.append(True))

#: Passes a failpoint by its name in docs/adr/0001 (P1 to P12).
hit: Final[Callable[[str], None]] = _counted(_SPECIFICATION, _kill) if _SPECIFICATION else _pass
#: Passes a failpoint that lies inside a call about to be made: the process dies so many seconds later.
hit_soon: Final[Callable[[str, float], None]] = _hit_soon if _SPECIFICATION else _pass_timed
#: Passes a failpoint that does not kill but waits for so many seconds, as a process without CPU would.
stall: Final[Callable[[str, float], None]] = _stall if _SPECIFICATION else _pass_timed


def ablated(rule: str) -> bool:
    """Whether a test has switched ``rule`` (``rule5``) off."""
    return rule in _ABLATED
