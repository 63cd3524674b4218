"""The nearest name to one that does not exist, so that an error can end with the fix."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate that ``name`` was probably meant to be, or None when nothing is close.

    Upper and lower case do not count, because ``Datastream`` and ``get_Key`` are the commonest slips.
    """
    # Imported here: only a start that fails anyway pays for it.
    from difflib import get_close_matches

    by_folded = {candidate.casefold(): candidate for candidate in sorted(candidates, reverse=True)}
    found = get_close_matches(name.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """`` Did you mean 'x'?``, with its leading blank, or nothing when no candidate is close."""
    found = nearest(name, candidates)
    return f" Did you mean '{found}'?" if found else ""
