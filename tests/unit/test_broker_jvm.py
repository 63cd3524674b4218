"""Command lines of Kafka's programs."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from wiesel.broker.jvm import cluster_id, environment, jvm_options


@given(st.binary(min_size=16, max_size=16))
def test_a_cluster_id_has_22_characters_and_never_looks_like_an_option(random):
    made = cluster_id(random)
    assert len(made) == 22
    assert not made.startswith("-")


def test_nothing_of_the_jvm_is_written_to_the_shared_temporary_directory():
    options = jvm_options(Path("private"), archive=None)
    assert "-Djava.io.tmpdir=private" in options
    assert "-XX:-UsePerfData" in options


def test_options_of_the_user_for_another_kafka_are_not_inherited():
    made = environment({"HOME": "home", "KAFKA_OPTS": "-Dx", "CLASSPATH": "theirs"}, [Path("a.jar"), Path("b.jar")])
    assert made == {"HOME": "home", "CLASSPATH": "a.jar:b.jar"}
