"""What ``wiesel check`` finds: a rule broken at a place."""

from __future__ import annotations

from dataclasses import dataclass

from wiesel.check.rules import RULES, Rule, Severity


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding.

    Args:
        file: path of the script, as it was given.
        line: from 1.
        column: from 1, in characters.
        code: the rule's.
        message: what is wrong, a sentence.
        fix: what to write instead, a sentence; empty where there is nothing to say.
        end_line: where the place ends.
        end_column: the column behind its last character.
    """

    file: str
    line: int
    column: int
    code: str
    message: str
    fix: str = ""
    end_line: int = 0
    end_column: int = 0

    @property
    def rule(self) -> Rule:
        """The rule that is broken."""
        return RULES[self.code]

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.rule.severity
