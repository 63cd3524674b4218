"""Builders of connectors that are built without something they need; only what is written as one chain is judged."""

from __future__ import annotations

import ast
from typing import Final

from wiesel.check.call import Call
from wiesel.check.reporter import Reporter

#: By builder: settings of which one has to be made, and what to write.
_NEEDS: Final[dict[str, list[tuple[set[str], str]]]] = {
    "KafkaSourceBuilder": [
        ({"set_topics", "set_topic_pattern", "set_partitions"}, "set_topics('name')"),
        ({"set_value_only_deserializer", "set_deserializer"}, "set_value_only_deserializer(SimpleStringSchema())"),
    ],
    "KafkaSinkBuilder": [({"set_record_serializer"}, "set_record_serializer(…)")],
    "KafkaRecordSerializationSchemaBuilder": [
        ({"set_topic", "set_topic_selector"}, "set_topic('name')"),
        ({"set_value_serialization_schema"}, "set_value_serialization_schema(SimpleStringSchema())"),
    ],
}


def look(call: Call, reporter: Reporter) -> None:
    """Report what a ``build()`` misses."""
    chain = _chain(call.node)
    if call.owner is None or chain is None:
        return
    builder = call.owner.cls.__name__
    for settings, example in _NEEDS.get(builder, ()):
        if not settings & chain.keys():
            _report(call, f"{builder.removesuffix('Builder')} is built without {_either(settings)}.", example, reporter)
    guarantee = chain.get("set_delivery_guarantee")
    exactly_once = guarantee is not None and ast.unparse(guarantee).endswith("EXACTLY_ONCE)")
    if builder == "KafkaSinkBuilder" and exactly_once and "set_transactional_id_prefix" not in chain:
        message = "EXACTLY_ONCE needs transactional ids of the sink's own."
        _report(call, message, "set_transactional_id_prefix('name-of-the-job')", reporter)
    if builder == "KafkaSinkBuilder" and exactly_once and reporter.portable and _leaves_timeout_to_flink(call.node):
        reporter.report(
            "W209",
            call.node.func,
            "On Flink a transaction may take an hour unless the sink says otherwise, which brokers refuse that keep "
            "their default of 15 minutes.",
            "Call set_property('transaction.timeout.ms', '600000') before build().",
        )


def _leaves_timeout_to_flink(node: ast.Call) -> bool:
    """Whether every property of a chain of calls is in sight, and none of them is the timeout."""
    calls = [one for one in ast.walk(node) if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)]
    for one in calls:
        name = one.func.attr if isinstance(one.func, ast.Attribute) else ""
        key = one.args[0] if one.args else None
        if name == "set_property" and not (isinstance(key, ast.Constant) and key.value != "transaction.timeout.ms"):
            return False
    return not any("config" in ast.unparse(one.func).rpartition(".")[2] for one in calls)


def _report(call: Call, message: str, example: str, reporter: Reporter) -> None:
    reporter.report("E207", call.node.func, message, f"Call {example} before build().")


def _either(settings: set[str]) -> str:
    return " or ".join(f"{name}()" for name in sorted(settings))


def _chain(node: ast.Call) -> dict[str, ast.Call] | None:
    """Return the calls between ``builder()`` and this one by name; None if it is not one chain that begins there."""
    calls: dict[str, ast.Call] = {}
    while isinstance(node.func, ast.Attribute):
        if node.func.attr == "builder":
            return calls
        calls[node.func.attr] = node
        if not isinstance(node.func.value, ast.Call):
            return None
        node = node.func.value
    return None
