"""Configuration keys that a script sets by hand: slips, values that a key cannot have, keys without effect."""

from __future__ import annotations

import ast

from wiesel.check.call import Call
from wiesel.check.reporter import Reporter
from wiesel.core.configuration import Configuration
from wiesel.core.errors import ConfigurationError
from wiesel.core.options import check_configuration


def look(call: Call, reporter: Reporter) -> None:
    """Report what is to be said of ``configuration.set_string("key", "value")`` and its like."""
    key, value = (call.arguments.get(name, (None, None))[0] for name in ("key", "value"))
    if not call.of_class("Configuration") or not isinstance(key, ast.Constant) or not isinstance(value, ast.Constant):
        return
    text = str(value.value).lower() if isinstance(value.value, bool) else str(value.value)
    try:
        report = check_configuration(Configuration().set_string(str(key.value), text))
    except ConfigurationError as error:
        if "${" not in text:
            reporter.report("E208", value, f"{str(error).rstrip('.')}.")
        return
    for unknown, near in report.unknown.items():
        if near is not None:  # else it may be a key of the script's own
            message = f"There is no configuration key '{unknown}', so nobody reads it."
            reporter.report("W208", key, message, f"Did you mean '{near}'?")
    for without_effect, reason in report.without_effect.items():
        reporter.report("I302", key, f"'{without_effect}' has no effect: {reason.rstrip('.')}.")
