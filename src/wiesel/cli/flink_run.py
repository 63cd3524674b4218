"""``wiesel run --target flink``: check the script for Flink, hand it over, and show how it ended."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from wiesel.cli.program import Program
from wiesel.core import exit_codes
from wiesel.core.errors import WieselError
from wiesel.core.redaction import redact

if TYPE_CHECKING:
    from wiesel.flink.client import FlinkLaunch
    from wiesel.flink.failure import Failure

_TARGET = "flink-2.3"


def run_on_flink(program: Program, options: Mapping[str, Any]) -> int:
    """Run the program on Flink and return the exit code of the process."""
    from wiesel.cli.errors import show_error
    from wiesel.cli.kafka.progress import StartProgress
    from wiesel.cli.logging import set_up_logging
    from wiesel.flink.client import run_on_flink as run

    as_json = program.log_format == "json"
    set_up_logging(program.log_format, program.log_level)
    if not _is_portable(program):
        return exit_codes.USAGE
    try:
        launch = _launch(program, options)
        with StartProgress() as progress:
            # The line gives way before the script writes its first.
            outcome = run(launch, progress, on_start=progress.stop)
    except WieselError as error:
        return show_error(error, verbose=program.verbose, as_json=as_json)
    if outcome.failure is not None:
        _show(outcome.failure, verbose=program.verbose, as_json=as_json)
    return outcome.exit_code


def _launch(program: Program, options: Mapping[str, Any]) -> FlinkLaunch:
    from wiesel.core.options import expand_variables, load_config_file
    from wiesel.flink.client import FlinkLaunch
    from wiesel.flink.cluster_api import parse_address

    configuration: dict[str, str] = {}
    if options["config_file"] is not None:
        configuration |= load_config_file(options["config_file"]).to_dict()
    for key, value in options["configuration"]:
        configuration[key] = expand_variables(value, f"-c {key}")
    if options["parallelism"] is not None:
        configuration["parallelism.default"] = str(options["parallelism"])
    if options["from_savepoint"] is not None:
        configuration["execution.state-recovery.path"] = options["from_savepoint"]
    if options["allow_non_restored_state"]:
        configuration["execution.state-recovery.ignore-unclaimed-state"] = "true"
    return FlinkLaunch(
        script=program.script,
        module=program.module,
        arguments=tuple(program.arguments),
        configuration=configuration,
        cluster=parse_address(options["cluster"]) if options["cluster"] is not None else None,
        py_files=options["py_files"],
        requirements=options["requirements"],
        is_detached=options["detached"],
    )


def _is_portable(program: Program) -> bool:
    """Whether the static check finds nothing that is certain to fail there; it says what it finds."""
    from wiesel.check import report
    from wiesel.check.checker import check_file

    findings = check_file(program.script, _TARGET) if program.script is not None else []
    if findings:
        click.echo(report.to_lines(findings), err=True)
    if not report.has_errors(findings):
        return True
    click.echo(
        f"error: {program.script} would fail on Flink, so nothing was started. Each line above says what to write; a "
        "comment '# wiesel: ignore[CODE]' lets one pass.",
        err=True,
    )
    return False


def _show(failure: Failure, *, verbose: bool, as_json: bool) -> None:
    traceback = failure.full if verbose else failure.traceback
    if as_json:
        logging.getLogger("wiesel.job").error(failure.message, extra={"exception": traceback})
        return
    sys.stdout.flush()
    sys.stderr.write(redact(f"{traceback}error: {failure.message}\n"))
