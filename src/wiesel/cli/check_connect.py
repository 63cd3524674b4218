"""``wiesel check --connect``: the findings of a job's preflight, all of them, without running the job."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from wiesel.cli.program import Program, run_program
from wiesel.core import exit_codes
from wiesel.core.launch import LaunchOptions


@dataclass(frozen=True, slots=True)
class ConnectFinding:
    """What a preflight says of one operator; ``operator`` is empty for the job as a whole."""

    file: str
    operator: str
    severity: str
    message: str

    def line(self) -> str:
        """The finding as a line of text."""
        where = f"{self.file}: {self.operator}" if self.operator else self.file
        return f"{where}: {self.severity}: {self.message}"


class _JobReached(BaseException):
    """Leaves the script at its first job; no ``Exception``, so that the script does not catch it."""


def connect_findings(script: Path, arguments: Sequence[str], configuration: Mapping[str, str]) -> list[ConnectFinding]:
    """Run a script up to its first ``execute()``, and let its sources and sinks look at their clusters.

    Nothing is read, written or created there. A script that fails before it has reported that on stderr.
    """
    found: list[ConnectFinding] = []

    def examine(_stream_graph: Any, job_graph: Any, job_configuration: Any) -> NoReturn:
        from wiesel.cluster.preflight import examine as examine_job

        for operator, finding in examine_job(job_graph, job_configuration):
            severity = "error" if finding.fatal else "warning"
            found.append(ConnectFinding(str(script), operator, severity, str(finding.error)))
        raise _JobReached

    program = Program(script, None, arguments, "text", "WARNING", verbose=False)
    options = LaunchOptions(
        script=script, program_name=program.name, configuration=dict(configuration), on_plan=examine
    )
    try:
        with redirect_stdout(sys.stderr):  # the report has stdout to itself
            code = run_program(program, options)
    except _JobReached:
        return found
    severity, what = ("error", "it failed") if code != exit_codes.OK else ("warning", "it ended")
    return [
        ConnectFinding(str(script), "", severity, f"{what} before its first execute(), so there is no job to examine")
    ]
