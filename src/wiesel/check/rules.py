"""Every rule of ``wiesel check``: a code that never changes its meaning, a severity, and what it is about.

The first letter of a code says where it hurts: ``E`` the script fails, ``W`` it runs and does something else than it
seems to say, ``I`` a line has no effect, ``P`` the script does not run on Flink (only with ``--target``).
docs/check.md explains each code; a test keeps the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How bad a finding is; only errors make the command fail."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Args:
        code: its stable code.
        name: its stable name, as in the JSON report.
        severity: how bad its findings are.
        summary: what it finds, in half a sentence.
    """

    code: str
    name: str
    severity: Severity
    summary: str


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

RULES: Final[dict[str, Rule]] = {
    rule.code: rule
    for rule in (
        Rule("E001", "unreadable", _ERROR, "the file cannot be read, or is not valid Python"),
        Rule("E101", "unknown-module", _ERROR, "a module that PyFlink does not have"),
        Rule("E102", "unknown-name", _ERROR, "a name that its module does not have"),
        Rule("E103", "own-name", _ERROR, "a name of Wiesel's own, imported from pyflink"),
        Rule("E104", "unknown-member", _ERROR, "a method or attribute that its class does not have"),
        Rule("E105", "arguments", _ERROR, "arguments that a function does not take"),
        Rule("E106", "unsupported", _ERROR, "a name of PyFlink's that Wiesel does not serve"),
        Rule("E107", "removed", _ERROR, "a member that Flink 2.0 removed and Wiesel does not have"),
        Rule("E201", "assigner-kind", _ERROR, "a timestamp assigner that is no TimestampAssigner"),
        Rule("E202", "function-kind", _ERROR, "a function of another kind than the stream takes"),
        Rule("E203", "union-types", _ERROR, "a union of a typed and an untyped stream"),
        Rule("E204", "no-timestamps", _ERROR, "event-time windows over records without timestamps"),
        Rule("E205", "state-without-key", _ERROR, "keyed state in a function that never runs on a keyed stream"),
        Rule("E206", "override", _ERROR, "a method that takes other arguments than it will be called with"),
        Rule("E207", "incomplete", _ERROR, "a connector that is built without something it needs"),
        Rule("E208", "config-value", _ERROR, "a configuration value that its key cannot have"),
        Rule("E209", "arity", _ERROR, "a function with other parameters than the operator gives it"),
        Rule("W201", "assigner-ignored", _WARNING, "a timestamp assigner in from_source, which PyFlink ignores"),
        Rule("W202", "duration-for-time", _WARNING, "a Duration where PyFlink takes a Time"),
        Rule("W203", "old-spelling", _WARNING, "a spelling of Flink 1.x that 2.x removed and Wiesel still takes"),
        Rule("W204", "never-fires", _WARNING, "processing-time windows over an input that ends"),
        Rule("W205", "global-copy", _WARNING, "a function of the job that changes a variable of the script"),
        Rule("W206", "never-called", _WARNING, "a method that the engine never calls"),
        Rule("W207", "never-executed", _WARNING, "a program that is built and never executed"),
        Rule("W208", "config-key", _WARNING, "a configuration key that nobody reads"),
        Rule(
            "W209", "transaction-timeout", _WARNING, "a sink whose transactions Flink keeps longer than brokers allow"
        ),
        Rule("W210", "state-begins-anew", _WARNING, "an aggregation that PyFlink begins anew at each start"),
        Rule("I301", "accepted", _INFO, "a setting that is accepted and cannot change anything"),
        Rule("I302", "config-accepted", _INFO, "a configuration key that is accepted and has no effect"),
        Rule("P401", "own-module", _ERROR, "an import of Wiesel's own"),
        Rule("P402", "extension", _ERROR, "a method or attribute that PyFlink does not have"),
        Rule("P403", "gone-in-flink", _ERROR, "a spelling of Flink 1.x that PyFlink 2.3 does not have"),
        Rule("P404", "not-portable", _ERROR, "a name that works here and not on Flink"),
        Rule("P405", "time-type", _ERROR, "a Duration where PyFlink fails without a Time"),
        Rule("P406", "own-schema", _ERROR, "a schema of the script's own, in Python"),
    )
}
