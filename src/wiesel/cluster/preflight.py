"""What can be known to be wrong with a job before anything of it starts."""

from __future__ import annotations

from collections.abc import Iterator

from wiesel.core.configuration import Configuration
from wiesel.core.contracts import JobFacts
from wiesel.core.errors import ConfigurationError, WieselError
from wiesel.core.operator_specs import SinkSpec, SourceSpec
from wiesel.core.options import catalog, optional_value_of
from wiesel.core.preflight import Examinable, PreflightFinding
from wiesel.graph.job_graph import JobGraph


def preflight(graph: JobGraph, configuration: Configuration) -> None:
    """Let every connector check its part of the job; the first thing that is wrong raises."""
    facts = _facts(graph, configuration)
    for finding in _without_checkpoints(facts):
        raise finding.error
    for _, operator in graph.operators():
        if isinstance(operator.spec, SourceSpec):
            operator.spec.source.preflight(configuration)
        elif isinstance(operator.spec, SinkSpec):
            operator.spec.sink.preflight(configuration, facts)


def examine(graph: JobGraph, configuration: Configuration) -> Iterator[tuple[str, PreflightFinding]]:
    """Return all that a preflight would find, each with the name of its operator; empty for the job as a whole."""
    facts = _facts(graph, configuration)
    yield from (("", finding) for finding in _without_checkpoints(facts))
    for _, operator in graph.operators():
        if not isinstance(operator.spec, SourceSpec | SinkSpec):
            continue
        part = operator.spec.source if isinstance(operator.spec, SourceSpec) else operator.spec.sink
        if isinstance(part, Examinable):
            yield from ((operator.name, finding) for finding in part.examine(configuration, facts))
            continue
        try:
            if isinstance(operator.spec, SourceSpec):
                operator.spec.source.preflight(configuration)
            else:
                operator.spec.sink.preflight(configuration, facts)
        except WieselError as error:
            yield operator.name, PreflightFinding(error)


def _facts(graph: JobGraph, configuration: Configuration) -> JobFacts:
    operators = [operator for _, operator in graph.operators()]
    interval = optional_value_of(configuration, catalog.CHECKPOINTING_INTERVAL) or None
    return JobFacts(
        checkpointing_enabled=interval is not None,
        checkpoint_interval_ms=interval or -1,
        bounded=all(o.spec.source.bounded for o in operators if isinstance(o.spec, SourceSpec)),
        sinks={o.uid: o.spec.sink for o in operators if isinstance(o.spec, SinkSpec)},
    )


def _without_checkpoints(facts: JobFacts) -> Iterator[PreflightFinding]:
    if not facts.bounded and not facts.checkpointing_enabled and any(s.transactional for s in facts.sinks.values()):
        yield PreflightFinding(
            ConfigurationError(
                "This job has a sink that publishes its output at checkpoints (FileSink, or a sink with "
                "DeliveryGuarantee.EXACTLY_ONCE), and reads an unbounded source without taking any. Enable them: "
                "env.enable_checkpointing(1000) or "
                "-c execution.checkpointing.interval=1s."
            )
        )
