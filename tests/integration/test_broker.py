"""The local broker against real processes."""

import pytest

from wiesel.broker.admin import Admin, PartitionOffsets

pytestmark = pytest.mark.integration


def test_a_topic_of_the_factory_has_its_partitions_and_properties(kafka, topic):
    name = topic("orders", partitions=3, properties={"retention.ms": "-1"})
    described = Admin(kafka.bootstrap_servers).describe_topic(name)
    assert described.partitions == [PartitionOffsets(number, 0, 0) for number in range(3)]
    assert described.properties == {"retention.ms": "-1"}
