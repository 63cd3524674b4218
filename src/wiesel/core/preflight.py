"""What a preflight finds: the contract between sources and sinks that look at their clusters and whoever asks them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import JobFacts
from wiesel.core.errors import WieselError


@dataclass(frozen=True, slots=True)
class PreflightFinding:
    """Something that is wrong with a job before it starts.

    Args:
        error: what, and what to change, in its text.
        fatal: whether the job must not start; else it is a warning.
    """

    error: WieselError
    fatal: bool = True


@runtime_checkable
class Examinable(Protocol):
    """A source or sink that can name all that its preflight finds, not only the first fatal thing."""

    def examine(self, configuration: Configuration, job: JobFacts) -> Iterable[PreflightFinding]:
        """Return the findings; may connect, changes nothing, and raises nothing that can be a finding."""
