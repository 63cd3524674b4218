"""What a program builds: frozen transformations in the order they were added. Building does nothing else.

A stream of the API is one or more ``Upstream`` references; ``union`` joins them, ``key_by`` and ``rebalance`` change
how they are partitioned, so no virtual nodes are needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from wiesel.core.errors import ConfigurationError
from wiesel.core.operator_specs import OperatorSpec
from wiesel.core.shipping import ShippedFunction
from wiesel.core.types import TypeInformation


class ShipStrategy(Enum):
    """How records are spread over the receiving subtasks; the values are the names in Flink's plans."""

    DEFAULT = "DEFAULT"  # not chosen by the user: forward where it can be, else rebalance
    FORWARD = "FORWARD"
    HASH = "HASH"
    REBALANCE = "REBALANCE"
    RESCALE = "RESCALE"
    SHUFFLE = "SHUFFLE"
    BROADCAST = "BROADCAST"
    GLOBAL = "GLOBAL"
    CUSTOM = "CUSTOM"


@dataclass(frozen=True, slots=True)
class Partitioning:
    """A ship strategy with what it needs.

    Args:
        strategy: how records are spread.
        key_selector: takes the key of a value (``HASH``, ``CUSTOM``).
        key_type: the key's declared type, on which its key group depends.
        partitioner: ``f(key, number of subtasks)`` for ``CUSTOM``.
    """

    strategy: ShipStrategy = ShipStrategy.DEFAULT
    key_selector: ShippedFunction | None = None
    key_type: TypeInformation | None = None
    partitioner: ShippedFunction | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """The output of a transformation, main or side, and how its records are to be shipped.

    Args:
        transformation_id: the transformation.
        partitioning: how its records are spread.
        side_output: id of the side output; None is the main one.
        side_type: type of the side output's records.
    """

    transformation_id: int
    partitioning: Partitioning = Partitioning()
    side_output: str | None = None
    side_type: TypeInformation | None = None


class ChainingStrategy(Enum):
    """Whether an operator may share a task with its neighbours (Flink: ``ChainingStrategy``)."""

    ALWAYS = "ALWAYS"
    NEVER = "NEVER"
    HEAD = "HEAD"


@dataclass(frozen=True, slots=True)
class Transformation:
    """One operator of a program.

    Args:
        transformation_id: number in order of creation, from 1.
        name: shown in plans, metrics and errors.
        spec: what it does.
        inputs: for each logical input, the outputs it reads (several after ``union``).
        output_type: declared type of its main output.
        parallelism: number of subtasks; None is the environment's.
        max_parallelism: number of key groups; None is the environment's.
        uid: the user's stable identity for state; None lets one be generated.
        uid_hash: the user's verbatim operator id.
        chaining: whether it may be chained.
        slot_sharing_group: name of its slot sharing group; None is that of its inputs.
        description: longer text for plans.
        keyed: whether input 0 (or every non-broadcast input) is keyed, so that keyed state is there.
        pact: its kind in Flink's execution plan.
        python: whether it is a Python operator in PyFlink, which melts into one with others (``flink_plan.py``).
        before: the Python operator that PyFlink has in front of it and Wiesel does without; None: there is none.
        behind: the Java operator that Flink has behind it and Wiesel does without; None: there is none.
    """

    transformation_id: int
    name: str
    spec: OperatorSpec
    inputs: tuple[tuple[Upstream, ...], ...]
    output_type: TypeInformation | None
    parallelism: int | None = None
    max_parallelism: int | None = None
    uid: str | None = None
    uid_hash: str | None = None
    chaining: ChainingStrategy = ChainingStrategy.ALWAYS
    slot_sharing_group: str | None = None
    description: str | None = None
    keyed: bool = False
    pact: str = "Operator"
    python: bool = True
    before: str | None = None
    behind: str | None = None


class Pipeline:
    """The transformations of one environment, in the order they were added.

    A program is what was added since the last one was executed, with everything that it reads: streams outlive the
    program that they were made for, as in Flink, and a source that nothing reads is no part of any.
    """

    def __init__(self) -> None:
        self._transformations: dict[int, Transformation] = {}
        self._added: list[int] = []
        self._next_id = 1

    def add(self, name: str, spec: OperatorSpec, inputs: tuple[tuple[Upstream, ...], ...], **fields: Any) -> int:
        """Append a transformation and return its id."""
        transformation_id = self._next_id
        self._next_id += 1
        self._transformations[transformation_id] = Transformation(transformation_id, name, spec, inputs, **fields)
        self._added.append(transformation_id)
        return transformation_id

    def get(self, transformation_id: int) -> Transformation:
        """Return one transformation."""
        return self._transformations[transformation_id]

    def change(self, transformation_id: int, **fields: Any) -> None:
        """Replace fields of a transformation (``name``, ``uid``, ``set_parallelism``, …).

        Raises:
            ConfigurationError: a parallelism or maximum parallelism that cannot be.
        """
        for field in ("parallelism", "max_parallelism"):
            number = fields.get(field)
            if number is not None and not (isinstance(number, int) and number >= 1):
                raise ConfigurationError(f"The {field.replace('_', ' ')} must be at least 1, got {number!r}.")
        self._transformations[transformation_id] = replace(self._transformations[transformation_id], **fields)

    def transformations(self) -> tuple[Transformation, ...]:
        """Return those of the current program in order, but for sources that nothing reads."""
        wanted: set[int] = set()
        waiting = [added for added in self._added if self._transformations[added].inputs]
        while waiting:
            transformation_id = waiting.pop()
            if transformation_id not in wanted:
                wanted.add(transformation_id)
                inputs = self._transformations[transformation_id].inputs
                waiting += [upstream.transformation_id for upstreams in inputs for upstream in upstreams]
        return tuple(self._transformations[transformation_id] for transformation_id in sorted(wanted))

    def added(self) -> tuple[Transformation, ...]:
        """Return everything that was added to the current program, also what nothing reads (yet)."""
        return tuple(self._transformations[transformation_id] for transformation_id in self._added)

    def clear(self) -> None:
        """Begin another program; ids go on, and streams stay what they are."""
        self._added.clear()
