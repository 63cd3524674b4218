"""Resources of slot sharing groups, and amounts of memory."""

from __future__ import annotations

import pytest

from wiesel.datastream import MemorySize, SlotSharingGroup


def test_a_group_keeps_its_resources() -> None:
    group = (
        SlotSharingGroup.builder("g")
        .set_cpu_cores(1.5)
        .set_task_heap_memory("64 mb")
        .set_task_off_heap_memory(MemorySize.of_mebi_bytes(2))
        .set_managed_memory("1 gb")
        .set_external_resource("gpu", 1.0)
        .build()
    )
    assert (group.get_name(), group.get_cpu_cores()) == ("g", 1.5)
    assert group.get_task_heap_memory() == MemorySize.of_mebi_bytes(64)
    assert group.get_task_off_heap_memory() == MemorySize.of_mebi_bytes(2)
    assert group.get_managed_memory() == MemorySize.of_mebi_bytes(1024)
    assert group.get_external_resources() == {"gpu": 1.0}


def test_memory_may_be_given_in_mebibytes() -> None:
    group = (
        SlotSharingGroup.builder("g")
        .set_task_heap_memory_mb(1)
        .set_task_off_heap_memory_mb(2)
        .set_managed_memory_mb(3)
        .build()
    )
    sizes = (group.get_task_heap_memory(), group.get_task_off_heap_memory(), group.get_managed_memory())
    assert [size.get_mebi_bytes() for size in sizes if size is not None] == [1, 2, 3]


def test_a_group_without_resources_has_none() -> None:
    group = SlotSharingGroup.builder("g").build()
    assert group.get_cpu_cores() is None
    assert group.get_external_resources() == {}


def test_an_amount_of_memory_is_told_in_every_unit() -> None:
    size = MemorySize(bytes_size=1 << 41)
    assert size.get_bytes() == 1 << 41
    assert size.get_kibi_bytes() == 1 << 31
    assert size.get_mebi_bytes() == 1 << 21
    assert size.get_gibi_bytes() == 1 << 11
    assert size.get_tebi_bytes() == 2
    assert MemorySize.of_mebi_bytes(3).get_bytes() == 3 << 20
    assert MemorySize.of_mebi_bytes(1) < MemorySize.of_mebi_bytes(2)
    with pytest.raises(ValueError, match="needs bytes_size"):
        MemorySize()


def test_there_is_no_java_object_behind_them() -> None:
    with pytest.raises(NotImplementedError, match="no Java object"):
        SlotSharingGroup.builder("g").build().get_java_slot_sharing_group()
    with pytest.raises(NotImplementedError, match="no Java object"):
        MemorySize(bytes_size=1).get_java_memory_size()
