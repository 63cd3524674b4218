"""What a checkpoint says of each state beside its values, and what becomes of values whose state has changed since.

A state goes on under its name, as the kind of state that it was. Its type may change as ``core.types.migration`` tells;
any other change is refused, because values that were taken for something else would be wrong silently.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from wiesel.core.errors import RestoreRefusedError, TypeMismatchError
from wiesel.core.state import (
    AggregatingStateDescriptor,
    ListStateDescriptor,
    MapStateDescriptor,
    ReducingStateDescriptor,
    StateDescriptor,
    ValueStateDescriptor,
)
from wiesel.core.types import (
    Coercer,
    Descriptor,
    PickledBytesTypeInfo,
    TypeInformation,
    descriptor_of,
    migration,
    type_of_descriptor,
)

_KINDS: dict[type[StateDescriptor[Any]], str] = {
    ValueStateDescriptor: "ValueState",
    ListStateDescriptor: "ListState",
    MapStateDescriptor: "MapState",
    ReducingStateDescriptor: "ReducingState",
    AggregatingStateDescriptor: "AggregatingState",
}


@dataclass(frozen=True, slots=True)
class StateSchema:
    """How the values of one state are to be understood.

    Args:
        kind: Flink's name of the kind of state; what it holds for a state of the engine's own.
        type_descriptor: the type as JSON (``core.types.descriptor``); None where nothing is known of it.
        version: how often the type was changed, so that of two parts of a checkpoint the newer form is known.
    """

    kind: str
    type_descriptor: Descriptor = None
    version: int = 0

    def is_like(self, other: StateSchema) -> bool:
        """Whether values of both are the same, whenever they were changed."""
        return self.kind == other.kind and self.type_descriptor == other.type_descriptor

    def after(self, earlier: StateSchema) -> StateSchema:
        """Return this schema as the successor of ``earlier``."""
        return replace(self, version=earlier.version + 1)

    def __str__(self) -> str:
        return self.kind if self.type_descriptor is None else f"{self.kind} of {_type_of(self)}"


def schema_of(descriptor: StateDescriptor[Any]) -> StateSchema:
    """Return the schema that a program declares."""
    kind = next((name for kind, name in _KINDS.items() if isinstance(descriptor, kind)), type(descriptor).__name__)
    return StateSchema(kind, type_descriptor_of(descriptor.type_info))


def type_descriptor_of(type_info: TypeInformation | None) -> Descriptor:
    """Return a type as JSON, or None for one of the user's own, which nothing can be said about."""
    try:
        return None if type_info is None else descriptor_of(type_info)
    except TypeError:
        return None


def _type_of(schema: StateSchema) -> TypeInformation:
    return type_of_descriptor(schema.type_descriptor)


@dataclass(frozen=True, slots=True)
class Conversion:
    """From stored values of an older schema to those of a newer one.

    Args:
        convert: what is done to a value: to each element of a list state, to each value of a map state.
        convert_key: what is done to each key of a map state.
        schema: the newer schema.
    """

    convert: Coercer
    convert_key: Coercer
    schema: StateSchema

    def of_stored(self, stamped: bool) -> Callable[[Any], Any]:
        """Return the function over what a table holds for a key; ``stamped`` values have a time to live."""
        convert, convert_key = self.convert, self.convert_key

        def convert_stamped(value: Any) -> Any:
            return value._replace(value=convert(value.value))

        each = convert_stamped if stamped else convert
        if self.schema.kind == "ListState":
            return lambda elements: [each(element) for element in elements]
        if self.schema.kind == "MapState":
            return lambda entries: {convert_key(key): each(value) for key, value in entries.items()}
        return each


def conversion(old: StateSchema, new: StateSchema, what: str) -> Conversion | None:
    """Return how values of ``old`` become those of ``new``; None when they stay as they are.

    Args:
        old: what the checkpoint says.
        new: what the program declares.
        what: the state and its operator, for the message.

    Raises:
        RestoreRefusedError: there is no way.
    """
    if old.kind != new.kind:
        raise refusal(what, old, new, "another kind of state")
    if old.is_like(new) or old.type_descriptor is None or new.type_descriptor is None:
        return None
    try:
        parts = _conversions(_type_of(old), _type_of(new), old.kind)
    except TypeMismatchError as error:
        raise refusal(what, old, new, str(error)) from error
    if parts == (None, None):
        return None

    def refuse(error: TypeMismatchError) -> RestoreRefusedError:
        return refusal(what, old, new, str(error))

    convert, convert_key = (_same if part is None else _refusing(part, refuse) for part in parts)
    return Conversion(convert, convert_key, new)


def _conversions(old: Any, new: Any, kind: str) -> tuple[Coercer | None, Coercer | None]:
    if kind == "ListState":
        return _conversion(old.element_type, new.element_type), None
    if kind == "MapState":
        return _conversion(old.value_type, new.value_type), _conversion(old.key_type, new.key_type)
    return _conversion(old, new), None


def _conversion(old: TypeInformation, new: TypeInformation) -> Coercer | None:
    migrate = migration(old, new)
    if migrate is None:
        return None
    if isinstance(old, PickledBytesTypeInfo):
        return _unless_none(migrate)  # it is the new type's own check
    # Chained functions are not held to their types, so a stored value is first held to the one it was stored as.
    check, change = old.coercer(), migrate
    return _unless_none(lambda value: change(check(value)))


def _unless_none(convert: Coercer) -> Coercer:
    return lambda value: None if value is None else convert(value)


def _refusing(convert: Coercer, refuse: Callable[[TypeMismatchError], RestoreRefusedError]) -> Coercer:
    def converted(value: Any) -> Any:
        try:
            return convert(value)
        except TypeMismatchError as error:
            raise refuse(error) from error

    return converted


def _same(value: Any) -> Any:
    return value


def refusal(what: str, old: StateSchema, new: StateSchema, why: str) -> RestoreRefusedError:
    """Return the error for a state that cannot go on."""
    return RestoreRefusedError(
        f"{what} was saved as {old} and is {new} in this program, which it cannot become: {why}. "
        f"Go back to what it was, or give the new state another name: it then begins empty, and the old one is kept."
    )


def check_key_type(saved: Descriptor, declared: Descriptor, operator: str) -> None:
    """Refuse keys of another type: each would be another key, and belong to another subtask.

    Raises:
        RestoreRefusedError: the types differ.
    """
    if saved is not None and declared is not None and saved != declared:
        raise RestoreRefusedError(
            f"The keys of {operator} were saved as {type_of_descriptor(saved)} and are {type_of_descriptor(declared)} "
            f"in this program: no key would find its state. Keep the key_type of key_by(), or give the operator "
            f"another uid() and drop the old state with --allow-non-restored-state."
        )
