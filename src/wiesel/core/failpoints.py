"""Places where a test lets this process die, and rules of the exactly-once protocol that a test switches off.

Both are read from the environment once and cost a call of an empty function when unset. They exist so that the kill
harness can prove its guarantees: ``WIESEL_FAILPOINT=P5@2`` kills the process with SIGKILL at the second time it passes
P5; ``WIESEL_ABLATE=rule5,rule8`` switches rules off, and the harness must then fail. Never set them elsewhere.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Final

_ABLATED: Final = frozenset(filter(None, os.environ.get("WIESEL_ABLATE", "").split(",")))


def _killer(specification: str) -> Callable[[str], None]:
    name, _, count = specification.partition("@")
    remaining = int(count or 1)

    def hit_and_count(passed: str) -> None:
        nonlocal remaining
        if passed == name:
            remaining -= 1
            if remaining == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return hit_and_count


def _pass(passed: str) -> None:
    """Do nothing: no failpoint is set."""


#: Passes a failpoint by its name in docs/adr/0001 (P1 to P12).
hit: Final[Callable[[str], None]] = (
    _killer(os.environ["WIESEL_FAILPOINT"]) if os.environ.get("WIESEL_FAILPOINT") else _pass
)


def ablated(rule: str) -> bool:
    """Whether a test has switched ``rule`` (``rule5``) off."""
    return rule in _ABLATED
