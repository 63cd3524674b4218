"""Looks through a configuration before the job starts: wrong values, unknown keys, keys without effect."""

from __future__ import annotations

from dataclasses import dataclass, field

from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.options.catalog import FAMILIES, OPTIONS

# Families this wide would swallow every slip; a key close to a known one is taken for a slip first.
_CLOSE = 0.88


@dataclass(frozen=True, slots=True)
class ConfigurationReport:
    """What ``check_configuration`` found that is worth a line in the log.

    Args:
        unknown: keys that nobody reads, with the key that was probably meant.
        without_effect: keys that are accepted, with why they do nothing here.
    """

    unknown: dict[str, str | None] = field(default_factory=dict)
    without_effect: dict[str, str] = field(default_factory=dict)

    def warnings(self) -> list[str]:
        """Return one sentence for each unknown key."""
        return [
            f"Unknown configuration key '{key}' is ignored." + (f" Did you mean '{near}'?" if near else "")
            for key, near in self.unknown.items()
        ]

    def notes(self) -> list[str]:
        """Return one sentence for each reason, naming the keys without effect."""
        by_reason: dict[str, list[str]] = {}
        for key, reason in self.without_effect.items():
            by_reason.setdefault(reason, []).append(key)
        return [f"Without effect: {', '.join(keys)} ({reason})." for reason, keys in by_reason.items()]


def check_configuration(configuration: Configuration) -> ConfigurationReport:
    """Return what is unknown or without effect.

    Raises:
        ConfigurationError: values that their keys cannot have; one message names them all.
    """
    report, wrong = ConfigurationReport(), []
    for key, text in sorted(configuration.to_dict().items()):
        option = OPTIONS.get(key)
        if option is not None:
            try:
                option.parse_value(text, key)
            except ConfigurationError as error:
                wrong.append(str(error))
            if option.no_effect:
                report.without_effect[key] = option.no_effect
            continue
        known, reason = _family(key)
        near = _nearest(key, _CLOSE if known else 0.6)
        if near is not None and known and key.startswith(f"{near}."):
            near = None  # another option of Flink's below it, not a slip
        if near is not None and not key.startswith(("$internal.", "wiesel.", "python.", "metrics.")):
            report.unknown[key] = near
        elif not known:
            report.unknown[key] = None
        elif reason:
            report.without_effect[key] = reason
    if wrong:
        raise ConfigurationError("\n".join(wrong))
    return report


def _family(key: str) -> tuple[bool, str | None]:
    matching = [prefix for prefix in FAMILIES if key.startswith(prefix)]
    return (True, FAMILIES[max(matching, key=len)]) if matching else (False, None)


def _nearest(key: str, cutoff: float) -> str | None:
    # Imported here: only a key that is not an option pays for it.
    from difflib import get_close_matches

    found = get_close_matches(key, OPTIONS, n=1, cutoff=cutoff)
    return found[0] if found else None
