"""Names and what they stand for, as far as the flow of a script says."""

from __future__ import annotations

from wiesel.check.values import Value, join


class Scope:
    """The names of a module or function.

    ``current`` is what holds where the reading is just now; ``ever`` joins all that a name is in the scope, which is
    what a function that is called later, at some unknown time, may rely on.
    """

    def __init__(self, parent: Scope | None = None) -> None:
        self.parent = parent
        self.current: dict[str, Value] = {}
        self.ever: dict[str, Value] = {}
        #: Names that some function rebinds by ``global`` or ``nonlocal``: nothing is known of them.
        self.shared: set[str] = set()

    def bind(self, name: str, value: Value) -> None:
        """Let a name stand for a value from here on."""
        if name in self.shared:
            value = None
        self.current[name] = value
        self.ever[name] = join(self.ever[name], value) if name in self.ever else value

    def look_up(self, name: str) -> Value:
        """Return what a name stands for here."""
        if name in self.current:
            return self.current[name]
        scope = self.parent
        while scope is not None:
            if name in scope.ever:
                return scope.ever[name]
            scope = scope.parent
        return None

    def merge(self, one: dict[str, Value], other: dict[str, Value]) -> None:
        """Go on with what holds after either of two branches."""
        self.current = {
            name: join(one[name], other[name]) if name in one and name in other else None
            for name in one.keys() | other.keys()
        }
