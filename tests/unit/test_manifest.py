"""Every name of PyFlink 2.3 resolves under ``pyflink``, with the same members and the same parameters.

Run as a program it prints the differences: ``python -m tests.unit.test_manifest``.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

import wiesel
from wiesel.compat import alias
from wiesel.compat.manifest import load
from wiesel.compat.placeholder import is_placeholder
from wiesel.compat.status import Support, status_of


def differences(module: str) -> Iterator[str]:
    """Say in what the names of a module differ from the manifest; an unsupported name may be a placeholder."""
    room = importlib.import_module(f"pyflink.{module}")
    for name, entry in load()[module].items():
        path = f"{module}.{name}"
        try:
            found = getattr(room, name)
        except AttributeError as error:
            yield f"{path} does not resolve: {error}"
            continue
        if is_placeholder(found):
            status = status_of(path)
            if status is None or status.support is not Support.UNSUPPORTED:
                yield f"{path} is a placeholder without a reason in status.toml"
        else:
            yield from _compare(found, entry, path)


def _compare(found: Any, entry: Mapping[str, Any], path: str) -> Iterator[str]:
    if "params" in entry:
        expected = [(p["name"], p["kind"], p["default"]) for p in entry["params"]]
        if parameters(found) != expected:
            yield f"{path}{parameters(found)} should be {expected}"
    for member, member_entry in entry.get("members", {}).items():
        if not hasattr(found, member):
            yield f"{path}.{member} is missing"
        else:
            yield from _compare(getattr(found, member), member_entry, f"{path}.{member}")


def parameters(function: Any) -> list[tuple[str, str, bool]]:
    """Return name, kind and whether there is a default, of each parameter but ``self``."""
    found = [
        (parameter.name, parameter.kind.name, parameter.default is not inspect.Parameter.empty)
        for parameter in inspect.signature(function).parameters.values()
    ]
    return found[1:] if found and found[0][0] == "self" else found


@pytest.fixture
def active() -> Iterator[None]:
    was_active = alias.is_active()
    wiesel.activate()
    yield
    if not was_active:
        alias.deactivate()


@pytest.mark.parametrize("module", load())
def test_names_members_and_parameters_are_pyflinks(module: str, active: None) -> None:
    assert list(differences(module)) == []


def test_a_missing_member_and_another_parameter_are_told() -> None:
    class Stream:
        def map(self, function: Any) -> None: ...

    parameter = {"name": "func", "kind": "POSITIONAL_OR_KEYWORD", "default": False}
    entry = {"members": {"map": {"params": [parameter]}, "filter": {"params": []}}}
    assert list(_compare(Stream, entry, "s")) == [
        "s.map[('function', 'POSITIONAL_OR_KEYWORD', False)] should be [('func', 'POSITIONAL_OR_KEYWORD', False)]",
        "s.filter is missing",
    ]


if __name__ == "__main__":
    wiesel.activate()
    for manifest_module in load():
        for difference in differences(manifest_module):
            print(difference)
