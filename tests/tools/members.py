"""The members of PyFlink's names as objects of ours, and how the body of one is emptied."""

from __future__ import annotations

import contextlib
import dis
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import wiesel
from wiesel.compat.manifest import load
from wiesel.compat.placeholder import is_placeholder

_ABSENT = object()
#: What a function of a docstring alone, or a coroutine, compiles to.
_NOTHING = {"RESUME", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "RETURN_GENERATOR", "POP_TOP", "NOP"}


@dataclass(frozen=True)
class Member:
    """One member of a class, by its qualified name, with the class and the kind of the manifest."""

    name: str
    owner: type
    attribute: str
    kind: str

    def raw(self) -> Any:
        """Return what the class holds under the name: a function, a static method, a constant."""
        return inspect.getattr_static(self.owner, self.attribute)

    def function(self) -> FunctionType | None:
        """Return the function behind the member, or None of a constant."""
        raw = self.raw()
        raw = getattr(raw, "__func__", raw)
        return raw if isinstance(raw, FunctionType) else None

    def is_contract(self) -> bool:
        """Whether its body is empty already: what it promises is kept by those who override it."""
        function = self.function()
        return function is not None and _is_empty(function.__code__)


def members() -> list[Member]:
    """Return all members of all classes that are there; one inherited by several classes is one of each."""
    wiesel.activate()
    found: list[Member] = []
    for module, names in load().items():
        room = importlib.import_module(f"pyflink.{module}")
        for name, entry in names.items():
            value = getattr(room, name)
            if not is_placeholder(value) and isinstance(value, type):
                found += _of_class(f"{module}.{name}", value, entry)
    return found


def _of_class(path: str, owner: type, entry: Any) -> Iterator[Member]:
    for name, member in entry.get("members", {}).items():
        if "params" not in member and member["kind"] == "class":  # a class method has kind "class" too
            yield from _of_class(f"{path}.{name}", getattr(owner, name), member)
        elif hasattr(owner, name):
            yield Member(f"{path}.{name}", owner, name, member["kind"])


def _is_empty(code: CodeType) -> bool:
    doc, *rest = code.co_consts or (None,)
    does_nothing = {instruction.opname for instruction in dis.get_instructions(code)} <= _NOTHING
    return does_nothing and isinstance(doc, str | None) and all(value is None for value in rest)


def empty_body(*_: Any, **__: Any) -> None:
    """Do nothing, which is what is left of a member."""


async def empty_coroutine(*_: Any, **__: Any) -> None:
    """Do nothing, as a coroutine."""


#: State handles are protocols: who keeps their promises is no subclass, and is named here.
def _keepers() -> dict[str, list[type]]:
    from wiesel.runtime.operators import two_input
    from wiesel.state.heap import states, ttl

    broadcast: list[type[Any]] = [two_input.BroadcastMap]
    return {
        "ValueState": [states.HeapValueState],
        "ListState": [states.HeapListState],
        "MapState": [states.HeapMapState],
        "ReducingState": [states.HeapReducingState],
        "AggregatingState": [states.HeapReducingState],
        "BroadcastState": broadcast,
        "ReadOnlyBroadcastState": broadcast,
        "OperatorStateStore": [two_input.BroadcastContext],
        "TtlValueState": [ttl.TtlValueState],
    }


@contextlib.contextmanager
def emptied(member: Member) -> Iterator[None]:
    """Let a member do nothing; of a contract, those who keep it, of the engine and of the tests."""
    with contextlib.ExitStack() as undo:
        if not member.is_contract():
            undo.enter_context(_set(member.owner, member.attribute, _hollow(member.raw())))
        else:
            named = _keepers().get(member.owner.__name__, [])  # first: this imports classes that are subclasses too
            for keeper in {*_subclasses(member.owner), *named}:
                undo.enter_context(_hollowed_keeper(keeper, member.attribute))
            if not issubclass(member.owner, type) and "Protocol" not in {b.__name__ for b in member.owner.__mro__}:
                undo.enter_context(_hollowed_newcomers(member.owner, member.attribute))
        yield


def _subclasses(owner: type) -> set[type]:
    found: set[type] = set()
    subclasses: list[type] = type.__subclasses__(owner)
    for subclass in subclasses:
        found |= {subclass} | _subclasses(subclass)
    return found


def _hollow(raw: Any) -> Any:
    if isinstance(raw, staticmethod):
        return staticmethod(_hollow(raw.__func__))
    if isinstance(raw, classmethod):
        return classmethod(_hollow(raw.__func__))
    if isinstance(raw, property):
        return property(empty_body)
    if inspect.iscoroutinefunction(raw):
        return empty_coroutine
    return empty_body if callable(raw) else None


@contextlib.contextmanager
def _set(owner: type, attribute: str, value: Any) -> Iterator[None]:
    old = owner.__dict__.get(attribute, _ABSENT)
    # An enumeration refuses by its metaclass that a member is set; type itself does it.
    type.__setattr__(owner, attribute, value)
    try:
        yield
    finally:
        if old is _ABSENT:
            type.__delattr__(owner, attribute)
        else:
            type.__setattr__(owner, attribute, old)


@contextlib.contextmanager
def _hollowed_keeper(keeper: type, attribute: str) -> Iterator[None]:
    """Empty a method, or the closure that ``__init__`` puts into a slot or attribute of that name."""
    with contextlib.ExitStack() as undo:
        raw = inspect.getattr_static(keeper, attribute, None)
        if isinstance(raw, FunctionType):  # its own or one that it inherits from a mix-in
            undo.enter_context(_set(keeper, attribute, _hollow(raw)))
        init: Any = keeper.__dict__.get("__init__")
        if init is not None:

            def init_and_empty(self: Any, *args: Any, **kwargs: Any) -> None:
                init(self, *args, **kwargs)
                own = getattr(self, "__dict__", {})
                if attribute in own or inspect.ismemberdescriptor(getattr(type(self), attribute, None)):
                    object.__setattr__(self, attribute, empty_body)

            undo.enter_context(_set(keeper, "__init__", init_and_empty))
        yield


@contextlib.contextmanager
def _hollowed_newcomers(owner: type, attribute: str) -> Iterator[None]:
    """Empty the method in every class that is made meanwhile."""

    def init_subclass(cls: type, /, **_: Any) -> None:
        raw = inspect.getattr_static(cls, attribute, None)
        if raw is not None:
            type.__setattr__(cls, attribute, _hollow(raw))

    with _set(owner, "__init_subclass__", classmethod(init_subclass)):
        yield
