"""What the conformance checks of sources and of sinks share: a check has a name, and a failure that says what broke."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wiesel.core.pickling import pickle_value, unpickle_value


class ConformanceError(AssertionError):
    """A source or sink does not keep its contract; the text names the check, and what happened."""


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of a contract; call it to have it checked.

    Args:
        name: as a failure, and a test that is parametrized with it, shows it.
        rule: the rule in a sentence.
        run: raises ``ConformanceError``.
    """

    name: str
    rule: str
    run: Callable[[], None]

    def __call__(self) -> None:
        """Check the rule.

        Raises:
            ConformanceError: it is broken.
        """
        try:
            self.run()
        except ConformanceError as error:
            raise ConformanceError(f"{self.name}: {error}\n  The rule: {self.rule}") from None
        except Exception as error:
            raise ConformanceError(f"{self.name}: {type(error).__name__}: {error}\n  The rule: {self.rule}") from error

    def __str__(self) -> str:
        return self.name


def check_all(checks: Sequence[Check]) -> None:
    """Run all checks.

    Raises:
        ConformanceError: naming every one that fails.
    """
    failures = []
    for check in checks:
        try:
            check()
        except ConformanceError as error:
            failures.append(str(error))
    if failures:
        raise ConformanceError(f"{len(failures)} of {len(checks)} checks failed.\n" + "\n".join(failures))


def demand(condition: bool, what: str) -> None:
    """Raise ``ConformanceError`` unless ``condition``."""
    if not condition:
        raise ConformanceError(what)


def through_json(value: Any, what: str) -> Any:
    """Return ``value`` as it comes back from a checkpoint, which must be what went in."""
    try:
        again = json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        raise ConformanceError(f"{what} cannot go into a checkpoint, which holds JSON: {error}.") from error
    demand(
        again == value, f"{what} comes back from a checkpoint as {again!r} and was {value!r}: use JSON's types only."
    )
    return again


def through_pickle(spec: Any) -> Any:
    """Return the spec as a worker process gets it."""
    try:
        return unpickle_value(pickle_value(spec))
    except Exception as error:
        raise ConformanceError(
            f"the spec cannot be pickled: {error}. Keep clients, files and locks out of it; make them in create_…."
        ) from error


def demand_same(found: Sequence[Any], expected: Sequence[Any], when: str) -> None:
    """Raise unless both hold the same values, each as often; the order does not matter."""
    missing, surplus = difference(expected, found), difference(found, expected)
    demand(
        not missing and not surplus,
        f"{when} there are {len(found)} records where {len(expected)} are due. "
        f"Missing: {shown(missing)}. Too often, or unknown: {shown(surplus)}.",
    )


def difference(left: Sequence[Any], right: Sequence[Any]) -> list[Any]:
    """Return what ``left`` has more than ``right``, each value as often."""
    try:
        return list((Counter(left) - Counter(right)).elements())
    except TypeError:  # values that cannot be hashed
        rest, surplus = list(right), []
        for value in left:
            if value in rest:
                rest.remove(value)
            else:
                surplus.append(value)
        return surplus


def shown(values: Sequence[Any], limit: int = 10) -> str:
    """Return the first values as text."""
    text = ", ".join(map(repr, values[:limit]))
    return f"{text} and {len(values) - limit} more" if len(values) > limit else text or "nothing"
