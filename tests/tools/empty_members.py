"""Empties members of the API one by one and looks whether a test notices.

    python -m tests.tools.empty_members --sample 50        # the recorded proofs of 50 random members
    python -m tests.tools.empty_members --find [NAME ...]  # look for proofs, of all members or of some, and record them

A proof is a test that passes as things are and fails when the member does nothing. ``wiesel/compat/proofs.toml`` has
one for each member; that is what makes a member ``supported``. A member whose body is empty anyway is a promise that
others keep (``MapFunction.map``, ``TimerService.current_watermark``): of those the keepers are emptied.
"""

from __future__ import annotations

import argparse
import inspect
import json
import random
import signal
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.runner import runtestprotocol

from tests.tools.members import Member, emptied, members

_ROOT: Final = Path(__file__).parents[2]
PROOFS: Final = _ROOT / "src/wiesel/compat/proofs.toml"
_SUITES: Final = ["tests/unit", "tests/parity", "tests/test_follow_one_record.py"]
#: Seconds after which a test without the member hangs, which counts as noticed.
_PATIENCE: Final = 30.0
_MOST_CANDIDATES: Final = 100
#: Wiesel is imported before pytest starts, to know its members.
_NO_REWRITE: Final = "ignore::pytest.PytestAssertRewriteWarning"


class Emptier:
    """A pytest plugin that runs single tests of a collected session, as often as wanted."""

    def __init__(self, wanted: list[Member], recorded: dict[str, str]) -> None:
        self._wanted = wanted
        self._recorded = recorded
        self.proofs: dict[str, str] = {}
        self.survivors: list[str] = []
        self._items: dict[str, pytest.Item] = {}
        self._seconds: dict[str, float] = {}
        self._passing: list[str] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._items = {item.nodeid: item for item in session.items}
        finding = not self._recorded
        callers = self._trace() if finding else {}
        known: dict[Any, str | None] = {}  # a class that several modules show is emptied once
        for member in self._wanted:
            same = (member.owner, member.attribute)
            if finding and same in known:
                self._keep(member, known[same])
                continue
            if finding:
                candidates = self._candidates(member, callers)
            else:
                candidates = [self._recorded[member.name]]
            proof = next((test for test in candidates if self._notices(test, member)), None)
            known[same] = proof
            self._keep(member, proof)
        return True

    def _keep(self, member: Member, proof: str | None) -> None:
        if proof is None:
            self.survivors.append(member.name)
        else:
            self.proofs[member.name] = proof

    def _notices(self, test: str, member: Member) -> bool:
        item = self._items.get(test)
        if item is None:
            return False
        with emptied(member):
            passes = self._passes(item)
        # It must pass again with the member: a busy machine lets tests time out, which proves nothing.
        return not passes and self._passes(item)

    def _passes(self, item: pytest.Item) -> bool:
        getattr(item, "_initrequest", lambda: None)()  # fixtures anew, as a rerun needs them

        def give_up(*_: Any) -> None:
            raise TimeoutError("the test hangs without the member")

        signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
        try:
            reports = runtestprotocol(item, log=False, nextitem=None)
        except (TimeoutError, KeyboardInterrupt):
            return False
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        return all(report.passed for report in reports)

    # ------------------------------------------------------------------------------------- who calls what

    def _trace(self) -> dict[Any, list[str]]:
        """Run every test once and return, for each function's code and each function's name, the tests that call it."""
        codes = {function.__code__ for member in self._wanted if (function := member.function()) is not None}
        names = {member.attribute for member in self._wanted}
        callers: dict[Any, list[str]] = defaultdict(list)
        for test, item in self._items.items():
            seen: set[Any] = set()

            def watch(frame: Any, event: str, _: Any, seen: set[Any] = seen) -> None:
                code = frame.f_code
                if event == "call":
                    if code in codes:
                        seen.add(code)
                    if code.co_name in names:
                        seen.add(code.co_name)

            began = time.monotonic()
            threading.setprofile(watch)
            sys.setprofile(watch)
            try:
                passed = self._passes(item)
            finally:
                sys.setprofile(None)
                threading.setprofile(None)
            self._seconds[test] = time.monotonic() - began
            if passed:
                self._passing.append(test)
                for key in seen:
                    callers[key].append(test)
        self._texts = {test: _text(item.obj) for test, item in self._items.items()}  # type: ignore[attr-defined]
        self._modules = {test: _text(item.module) for test, item in self._items.items()}  # type: ignore[attr-defined]
        return callers

    def _candidates(self, member: Member, callers: dict[Any, list[str]]) -> list[str]:
        function, owner = member.function(), member.owner.__name__
        if function is not None and not member.is_contract():
            tests = list(callers.get(function.__code__, []))
        else:
            # A promise may be kept under another name, and a constant is not called at all: what is written counts too.
            written = f".{member.attribute}"
            tests = [*callers.get(member.attribute, []), *(t for t in self._passing if written in self._modules[t])]
        rank = {test: self._distance(test, member.attribute, owner) for test in tests}
        return sorted(rank, key=lambda test: (rank[test], self._seconds[test]))[:_MOST_CANDIDATES]

    def _distance(self, test: str, attribute: str, owner: str) -> tuple[bool, ...]:
        """Return how far a test seems to be from a member; the nearest sorts first."""
        text, module = test + self._texts[test], self._modules[test]
        return owner not in text, attribute not in text, owner not in module


def _text(test: Any) -> str:
    try:
        return inspect.getsource(test)
    except (OSError, TypeError):
        return ""


def read_proofs() -> dict[str, str]:
    """Return the recorded proofs by member."""
    import tomllib

    return tomllib.loads(PROOFS.read_text(encoding="utf-8")) if PROOFS.exists() else {}


def write_proofs(proofs: dict[str, str]) -> None:
    """Record proofs, one a line."""
    lines = [f"{json.dumps(name)} = {json.dumps(test)}" for name, test in sorted(proofs.items())]
    header = "# The test that fails when a member's body is emptied. Written by tests/tools/empty_members.py.\n\n"
    PROOFS.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--all", action="store_true", help="check all recorded proofs and forget those that do not hold"
    )
    parser.add_argument("--sample", type=int, default=50, help="check the recorded proofs of so many random members")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument(
        "--find", nargs="*", help="look for proofs; names or their beginnings, none for all without one"
    )
    parser.add_argument("--tests", nargs="*", help="with --find: look among these tests only")
    arguments = parser.parse_args()
    everything, recorded = members(), read_proofs()
    if arguments.find is not None:
        prefixes = tuple(arguments.find)
        wanted = [m for m in everything if (m.name.startswith(prefixes) if prefixes else m.name not in recorded)]
        emptier = Emptier(wanted, {})
        suites = arguments.tests or _SUITES
    else:
        proven = [m for m in everything if m.name in recorded]
        count = len(proven) if arguments.all else min(arguments.sample, len(proven))
        chosen = random.Random(arguments.seed).sample(proven, count)
        emptier = Emptier(chosen, recorded)
        suites = sorted({recorded[m.name].partition("::")[0] for m in chosen})
    pytest.main([*suites, "-qq", "-r", "N", "-p", "no:cacheprovider", "-W", _NO_REWRITE], plugins=[emptier])
    if arguments.find is not None:
        write_proofs({**recorded, **emptier.proofs})
        print(f"{len(emptier.proofs)} proofs found; nothing notices when these do nothing:")
    else:
        if arguments.all:
            write_proofs({name: test for name, test in recorded.items() if name not in emptier.survivors})
        print(f"{len(emptier.proofs)} of {len(chosen)} proofs hold; nothing notices when these do nothing:")
    print("\n".join(f"  {name}" for name in emptier.survivors) or "  (none)")
    return 1 if emptier.survivors else 0


if __name__ == "__main__":
    sys.exit(main())
