"""``wiesel check``: each rule finds what it is about, at its place, and says nothing of what is right."""

from __future__ import annotations

import textwrap

import pytest

from wiesel.check.checker import check_source
from wiesel.check.rules import RULES, Severity

ENV = """
from pyflink.common import *
from pyflink.common.watermark_strategy import TimestampAssigner
from pyflink.datastream import *
from pyflink.datastream.functions import *
from pyflink.datastream.connectors.number_seq import NumberSequenceSource
from pyflink.datastream.window import *
env = StreamExecutionEnvironment.get_execution_environment()
stream = env.from_collection([1, 2])
typed = env.from_collection([1, 2], Types.LONG())
class Assigner(TimestampAssigner):
    def extract_timestamp(self, value, record_timestamp):
        return value
times = WatermarkStrategy.for_monotonous_timestamps().with_timestamp_assigner(Assigner())
timed = stream.assign_timestamps_and_watermarks(times)
"""
LINES = ENV.count("\n")

WRONG = {
    "E001": "def (",
    "E101": "import pyflink.datstream",
    "E102": "from pyflink.datastream import DataStreem",
    "E103": "from pyflink.datastream.connectors import datagen",
    "E104": "env.set_paralelism(2)",
    "E105": "stream.map(lambda v: v, outputtype=Types.LONG())",
    "E106": "env.register_cached_file('a', 'b')",
    "E107": "env.get_restart_strategy()",
    "E201": "times.with_timestamp_assigner(lambda value, timestamp: value)",
    "E202": "class Twice(KeyedProcessFunction):\n    pass\nstream.process(Twice())",
    "E203": "stream.union(typed)",
    "E204": "stream.key_by(str).window(TumblingEventTimeWindows.of(Time.seconds(1)))",
    "E205": "class F(ProcessFunction):\n    def open(self, context):\n        context.get_state(None)",
    "E206": "class F(ProcessFunction):\n    def process_element(self, value, ctx, out):\n        out.collect(1)",
    "E207": "from pyflink.datastream.connectors.kafka import KafkaSink\nKafkaSink.builder().build()",
    "E208": "Configuration().set_string('parallelism.default', 'many')",
    "E209": "stream.map(lambda key, value: value)",
    "W201": "env.from_source(NumberSequenceSource(1, 2), times, 'numbers')",
    "W202": "timed.key_by(str).window(TumblingEventTimeWindows.of(Duration.of_seconds(1)))",
    "W203": "env.get_checkpoint_config().set_checkpoint_storage_dir('file:///tmp')",
    "W204": "stream.key_by(str).window(TumblingProcessingTimeWindows.of(Time.seconds(1)))",
    "W205": "count = 0\ndef add(value):\n    global count\n    count += 1\nstream.map(add)",
    "W206": "class Mean(AggregateFunction):\n    def open(self, context):\n        pass",
    "W207": "stream.print()",
    "W208": "Configuration().set_string('execution.checkpointing.intervall', '1 s')",
    "W209": "from pyflink.datastream.connectors.kafka import *\nKafkaSink.builder().set_record_serializer(unknown())"
    ".set_delivery_guarantee(DeliveryGuarantee.EXACTLY_ONCE).set_transactional_id_prefix('p').build()",
    "W210": "from pyflink.datastream.connectors.kafka import *\nkafka = KafkaSource.builder().set_topics('t')"
    ".set_value_only_deserializer(SimpleStringSchema()).build()\n"
    "env.from_source(kafka, WatermarkStrategy.no_watermarks(), 'k').key_by(str).sum(1)",
    "I301": "env.add_jars('file:///connector.jar')",
    "I302": "Configuration().set_string('pipeline.jars', 'file:///connector.jar')",
    "P401": "from wiesel.datastream import StreamExecutionEnvironment",
    "P402": "stream.join(timed)",
    "P403": "from pyflink.datastream import TimeCharacteristic",
    "P404": "from pyflink.datastream.connectors.kafka import FlinkKafkaConsumer\nFlinkKafkaConsumer('t', None, {})",
    "P406": "class Upper(SerializationSchema):\n    def serialize(self, value):\n        return value.upper()",
    "P405": "timed.key_by(str).window(TumblingEventTimeWindows.of(Duration.of_seconds(1)))",
}

RIGHT = [
    "import pyflink.datastream as ds\nds.StreamExecutionEnvironment.get_execution_environment().set_parallelism(2)",
    "import pyflink.datastream\npyflink.datastream.StreamExecutionEnvironment.get_execution_environment().execute()",
    "from pyflink.datastream.connectors.kafka import DeliveryGuarantee",
    "from pyflink.table import StreamTableEnvironment",  # importing is no use
    "try:\n    from pyflink.datastream import TimeCharacterstic\nexcept ImportError:\n    pass",
    "if hasattr(env, 'anything'):\n    env.anything()",
    "env.anything() if hasattr(env, 'anything') else None",
    "try:\n    env.anything()\nexcept AttributeError:\n    pass",
    "env = make()\nenv.anything()",
    "for env in environments():\n    env.anything()",
    "def use(env):\n    env.anything()",
    "def use(env=None):\n    env = env or other()\n    env.anything()",
    "if chance():\n    env = other()\nenv.anything()",
    "[env.anything() for env in environments()]",
    "(lambda env: env.anything())(1)",
    "with other() as env:\n    env.anything()",
    "while True:\n    env.execute()\n    env = other()",
    "def change():\n    global env\n    env = other()\nenv.anything()",
    "class Mine(MapFunction):\n    def map(self, value):\n        return self.anything()\nMine().anything()",
    "row = Row(name='a')\nrow.name, row.anything",
    "stream.map(*arguments)\nstream.map(**{'func': str})",
    "stream.union(stream.map(str))\ntyped.union(typed.filter(bool))",
    "timed.key_by(str).window(TumblingEventTimeWindows.of(Time.seconds(1))).reduce(min)",
    "stream.key_by(str).process(unknown())",
    "from functions import F\nstream.process(F())",
    "class F(KeyedProcessFunction):\n    def process_element(self, value, ctx):\n        yield ctx.get_current_key()\n"
    "stream.key_by(str).process(F())",
    "class F(ProcessFunction):\n    def process_element(self, *arguments):\n        return []\nstream.process(F())",
    "class F(MapFunction):\n    def __init__(self, other):\n        self.other = other\n    def map(self, value):\n"
    "        return self.other.anything(value)",
    "typed.connect(stream.broadcast(MapStateDescriptor('m', Types.INT(), Types.INT()))).process(unknown())\n"
    "stream.broadcast().map(str)\nstream.connect(typed).map(unknown())",
    "from pyflink.datastream.state import MapStateDescriptor",
    "stream.get_type().get_field_names()",  # of a RowTypeInfo
    "def use(stream: DataStream):\n    stream.reduce(min)",  # of a KeyedStream
    "env.set_runtime_mode(RuntimeExecutionMode.BATCH)\n"
    "stream.key_by(str).window(TumblingProcessingTimeWindows.of(Time.seconds(1)))",
    "Configuration().set_string('my.own.key', 'x').set_integer('parallelism.default', 2).set_boolean('my.own', True)",
    "Configuration().set_string('parallelism.default', '${MANY}').set_string(name(), value())",
    "from typing import Any\nother: Any = env\nother.anything()",
    "stream.map(lambda v, n=2: v * n).filter(lambda *values: True).key_by(lambda v, /: v).reduce(lambda a, b: a)",
    "@unknown\ndef f(a, b):\n    return a\nstream.map(f)",
    "timed.key_by(str).window(TumblingEventTimeWindows.of(Time.seconds(1))).reduce(lambda a, b: a)",
    "match value:\n    case [env]:\n        env.anything()",
]


def codes(source: str, target: str | None = None) -> list[str]:
    return [finding.code for finding in check_source(source, target=target)]


@pytest.mark.parametrize("code", RULES)
def test_every_rule_finds_what_it_is_about(code: str) -> None:
    target = "flink-2.3" if code.startswith("P") or code in ("W209", "W210") else None
    source = WRONG[code] if code == "E001" else ENV + WRONG[code]
    [finding] = check_source(source, "job.py", target)
    assert (finding.code, finding.file) == (code, "job.py")
    assert finding.line > LINES or code in ("E001", "W207")
    assert finding.message.endswith(".")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("seen = []\nstream.map(lambda v: seen.append(v) or v)\nprint(seen)", "seen"),
        ("seen: set[int] = set()\ndef f(v):\n    seen.add(v)\n    return v\nstream.map(f)\nlen(seen)", "seen"),
        ("n = {}\ndef f(v):\n    n[v] = n.get(v, 0) + 1\n    return v\nstream.map(f)\nn.items()", "n"),
        ("n = {}\nclass F(MapFunction):\n    def map(self, v):\n        n[v] = 1\nstream.map(F())\nprint(n)", "n"),
        ("n = 0\nclass F(MapFunction):\n    def map(self, v):\n        global n\n        n = 1\nstream.map(F())", "n"),
        ("def main():\n    out = []\n    stream.map(lambda v: out.append(v))\n    return out", "out"),
        ("n = {}\ndef f(v):\n    n[v] = 1\nstream.map(f).map(lambda v: n[v])", "n"),  # two operators, two copies
    ],
)
def test_what_a_function_of_the_job_changes_of_the_scripts_is_found(source: str, name: str) -> None:
    [finding] = check_source(ENV + source)
    assert finding.code == "W205"
    assert finding.message.endswith(f"'{name}'.")


@pytest.mark.parametrize(
    "source",
    [
        "cache = {}\ndef f(v):\n    cache[v] = cache.get(v, 0)\n    return cache[v]\nstream.map(f)",  # its own
        "seen = []\ndef f(v):\n    seen = []\n    seen.append(v)\n    return seen\nstream.map(f)\nprint(seen)",
        "def f(v, seen=()):\n    seen.append(v)\nseen = []\nstream.map(f)\nprint(seen)",
        "seen = []\nseen.append(1)\nstream.map(str)\nprint(seen)",
        "seen = unknown()\nstream.map(lambda v: seen.append(v))\nprint(seen)",
    ],
)
def test_what_a_function_of_the_job_has_for_itself_is_no_finding(source: str) -> None:
    assert codes(ENV + source) == []


@pytest.mark.parametrize(
    "setting",
    ["set_property('transaction.timeout.ms', '600000')", "set_property(*pair)", "set_property(name, '1')"],
)
def test_a_sink_that_may_set_its_timeout_is_no_finding(setting: str) -> None:
    sink = WRONG["W209"].replace(".build()", f".set_property('acks', 'all').{setting}.build()")
    assert codes(ENV + sink, "flink-2.3") == []
    assert codes(ENV + WRONG["W209"]) == [], "on Wiesel the timeout is a push's, and fits"


@pytest.mark.parametrize("source", RIGHT)
def test_nothing_is_said_of_what_is_right_or_not_known(source: str) -> None:
    given = "from pyflink.datastream.state import MapStateDescriptor\n" + ENV if "MapState" in source else ENV
    assert codes(given + source) == []


def test_what_is_not_portable_is_found_only_when_flink_is_the_target() -> None:
    portable = [ENV + WRONG[code] for code in WRONG if code.startswith("P4")]
    assert {code for source in portable for code in codes(source)} == {"W202", "W203"}


def test_what_flink_serves_is_no_finding_when_flink_is_the_target() -> None:
    assert codes(ENV + WRONG["E106"], "flink-2.3") == codes(ENV + WRONG["I301"], "flink-2.3") == []


def test_what_pyflink_keeps_to_itself_is_not_served_here_and_left_alone_on_flink() -> None:
    inner = "from pyflink.fn_execution import flink_fn_execution_pb2\nenv._j_stream_execution_environment\n"
    assert codes(ENV + inner) == ["E106", "E106"]
    assert codes(ENV + inner + "times._timestamp_assigner", "flink-2.3") == []


@pytest.mark.parametrize("target", [None, "flink-2.3"])
def test_what_only_java_has_is_told_with_python_s_way(target: str | None) -> None:
    source = "from pyflink.util import Collector\ndef open(context: RuntimeContext):\n    context.get_value_state(1)"
    found = check_source(f"from pyflink.datastream import RuntimeContext\n{source}", target=target)
    assert [finding.fix for finding in found] == [
        "PyFlink has no Collector: yield the result, or return a list of results.",
        "Write: get_state(descriptor)",
    ]


def test_a_stream_without_keys_has_none_of_the_members_of_one_with_keys() -> None:
    [finding] = check_source(ENV + "stream.map(str).reduce(min)")
    assert (finding.code, finding.message) == ("E104", "DataStream has no 'reduce'.")


def test_a_module_of_wiesel_s_own_is_none_of_pyflink_s() -> None:
    assert codes("import pyflink.datastream.connectors.datagen") == ["E103"]
    assert codes("from wiesel.connectors.kafka.reader import Anything") == ["E102"]


def test_the_letter_of_a_code_is_its_severity() -> None:
    letters = {"E": Severity.ERROR, "W": Severity.WARNING, "I": Severity.INFO, "P": Severity.ERROR}
    assert all(rule.severity is letters[code[0]] and rule.code == code for code, rule in RULES.items())
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


def test_the_place_is_the_name_behind_the_last_dot() -> None:
    source = ENV + 'é = "é"; (env\n    .from_collection([1])\n    .mapp(str))\né = "é"; env.anything()'
    first, second = check_source(source)
    assert (first.line - LINES, first.column, first.end_line - LINES, first.end_column) == (3, 6, 3, 10)
    assert (second.line - LINES, second.column, second.end_column) == (4, 14, 22)
    assert first.fix == "Did you mean 'map'?"


KAFKA = """
from pyflink.datastream.connectors.kafka import *
schema = SimpleStringSchema()
record = KafkaRecordSerializationSchema.builder().set_topic("t").set_value_serialization_schema(schema).build()
sink = KafkaSink.builder().set_record_serializer(record)
"""


@pytest.mark.parametrize(
    ("built", "missing"),
    [
        ("KafkaSource.builder().set_value_only_deserializer(schema).build()", ["set_topics('name')"]),
        ("KafkaRecordSerializationSchema.builder().build()", ["set_topic(", "set_value_serialization_schema("]),
        ("KafkaSink.builder().build()", ["set_record_serializer("]),
        ("sink.build()", []),  # what was called on it before is not known
        (
            "KafkaSink.builder().set_record_serializer(record).set_delivery_guarantee(\n"
            "    DeliveryGuarantee.EXACTLY_ONCE).build()",
            ["set_transactional_id_prefix("],
        ),
        (
            "KafkaSink.builder().set_record_serializer(record).set_delivery_guarantee(\n"
            "    DeliveryGuarantee.EXACTLY_ONCE).set_transactional_id_prefix('p').build()",
            [],
        ),
    ],
)
def test_a_builder_says_what_it_misses(built: str, missing: list[str]) -> None:
    found = check_source(ENV + KAFKA + built)
    assert {finding.code for finding in found} <= {"E207"}
    assert [finding.fix.partition("Call ")[2].startswith(m) for finding, m in zip(found, missing, strict=True)] == [
        True for _ in missing
    ]


@pytest.mark.parametrize(
    "end", ["env.execute()", "run(env)", "env.execute_async()", "jobs.append(env)", "stream.execute_and_collect()"]
)
def test_a_program_that_may_be_executed_is_left_alone(end: str) -> None:
    assert codes(f"{ENV}stream.print()\n{end}") == []


def test_types_flow_through_calls_attributes_and_functions() -> None:
    source = """
    class Count(KeyedProcessFunction):
        def __init__(self):
            self.state = None
        def open(self, runtime_context):
            self.state = runtime_context.get_state(ValueStateDescriptor("count", Types.LONG()))
        def process_element(self, value, ctx):
            self.state.vaule()
            ctx.timer_service().register_timer(1)
        def on_timer(self, timestamp, ctx):
            yield ctx.get_key()
    def environment() -> StreamExecutionEnvironment:
        return unknown()
    def build(built: "StreamExecutionEnvironment"):
        first, second = built.from_collection([1]), environment()
        first.mapp(str)
        second.executee()
        def inner():
            first.filterr(bool)
    with stream.execute_and_collect() as results:
        results.closee()
    stream.key_by(str).count_window(2).reduce(min).name("n").uid("u").slot_sharing_group("g").printt()
    timed.key_by(str).window(TumblingEventTimeWindows.of(Time.seconds(1))).allowed_lateness(5).reduc(min)
    CheckpointingMode.EXACTLY_ONC
    """
    found = check_source(ENV + "from pyflink.datastream.state import ValueStateDescriptor\n" + textwrap.dedent(source))
    fixes = [finding.fix.removeprefix("Did you mean ").strip("'?") for finding in found]
    assert {finding.code for finding in found} == {"E104"}
    assert fixes == [
        *("value", "register_event_time_timer", "get_current_key", "map", "execute", "filter", "close"),
        *("print", "reduce", "EXACTLY_ONCE"),
    ]


def test_a_comment_takes_findings_of_its_line_away() -> None:
    assert codes(ENV + "env.anything()  # wiesel: ignore") == []
    assert codes(ENV + "env.anything()  # wiesel: ignore[E104] it is ours") == []
    assert codes(ENV + "env.anything()  # wiesel: ignore[W201, E105]") == ["E104"]
    assert codes(ENV + "text = '# wiesel: ignore'; env.anything()") == ["E104"]
    assert codes(ENV + "# wiesel: ignore\nenv.anything()") == ["E104"]


def test_a_file_that_cannot_be_read_as_python_is_a_finding() -> None:
    assert [f.code for f in check_source("a = '\0'")] == ["E001"]
    assert [f.code for f in check_source("(" * 5000)] == ["E001"]


@pytest.mark.parametrize(
    "source",
    [
        "stream.filter(lambda: True)",
        "def f(a, *, b):\n    return a\nstream.flat_map(f)",
        "stream.key_by(lambda a, b: a)",
        "stream.key_by(str).reduce(lambda a: a)",
        "timed.key_by(str).window(TumblingEventTimeWindows.of(Time.seconds(1))).reduce(lambda a: a)",
        "stream.partition_custom(lambda key: 0, str)",
    ],
)
def test_functions_that_cannot_be_called_are_found_wherever_an_operator_takes_one(source: str) -> None:
    assert codes(f"{ENV}{source}\nenv.execute()") == ["E209"]
