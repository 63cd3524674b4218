"""``SlotSharingGroup`` and ``MemorySize``: resources of a group, remembered and not enforced on one machine."""

from __future__ import annotations

from typing import Any, NoReturn

from wiesel.core.options import parse_memory_size

__all__ = ["MemorySize", "SlotSharingGroup"]


class MemorySize:
    """A number of bytes (Flink: ``MemorySize``)."""

    def __init__(self, j_memory_size: Any = None, bytes_size: int | None = None) -> None:
        if bytes_size is None:
            raise ValueError("A MemorySize needs bytes_size.")
        self._bytes = bytes_size

    @staticmethod
    def of_mebi_bytes(mebi_bytes: int) -> MemorySize:
        """Return a size in MiB."""
        return MemorySize(bytes_size=mebi_bytes << 20)

    @staticmethod
    def parse(text: str) -> MemorySize:
        """Return the size that ``text`` says, such as ``64 mb``."""
        return MemorySize(bytes_size=parse_memory_size(text))

    def get_bytes(self) -> int:
        """Return bytes."""
        return self._bytes

    def get_kibi_bytes(self) -> int:
        """Return whole KiB."""
        return self._bytes >> 10

    def get_mebi_bytes(self) -> int:
        """Return whole MiB."""
        return self._bytes >> 20

    def get_gibi_bytes(self) -> int:
        """Return whole GiB."""
        return self._bytes >> 30

    def get_tebi_bytes(self) -> int:
        """Return whole TiB."""
        return self._bytes >> 40

    def get_java_memory_size(self) -> NoReturn:
        """Raise: there is no Java here."""
        raise NotImplementedError("There is no Java object behind a MemorySize in Wiesel.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemorySize) and other._bytes == self._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)

    def __lt__(self, other: MemorySize) -> bool:
        return self._bytes < other._bytes

    def __le__(self, other: MemorySize) -> bool:
        return self._bytes <= other._bytes

    def __str__(self) -> str:
        return f"{self._bytes} bytes"


class SlotSharingGroup:
    """Name and resources of a slot sharing group (Flink: ``SlotSharingGroup``)."""

    def __init__(self, name: str, resources: dict[str, Any] | None = None) -> None:
        self._name = name
        self._resources = resources or {}

    @staticmethod
    def builder(name: str) -> SlotSharingGroup.Builder:
        """Return a builder."""
        return SlotSharingGroup.Builder(name)

    def get_name(self) -> str:
        """Return the name."""
        return self._name

    def get_cpu_cores(self) -> float | None:
        """Return the CPU cores."""
        return self._resources.get("cpu")

    def get_task_heap_memory(self) -> MemorySize | None:
        """Return the heap memory."""
        return self._resources.get("heap")

    def get_task_off_heap_memory(self) -> MemorySize | None:
        """Return the off-heap memory."""
        return self._resources.get("off_heap")

    def get_managed_memory(self) -> MemorySize | None:
        """Return the managed memory."""
        return self._resources.get("managed")

    def get_external_resources(self) -> dict[str, float]:
        """Return external resources by name."""
        return dict(self._resources.get("external", {}))

    def get_java_slot_sharing_group(self) -> NoReturn:
        """Raise: there is no Java here."""
        raise NotImplementedError("There is no Java object behind a SlotSharingGroup in Wiesel.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SlotSharingGroup) and (other._name, other._resources) == (self._name, self._resources)

    def __hash__(self) -> int:
        return hash(self._name)

    class Builder:
        """Builds a slot sharing group."""

        def __init__(self, name: str) -> None:
            self._name = name
            self._resources: dict[str, Any] = {}

        def _set(self, key: str, value: Any) -> SlotSharingGroup.Builder:
            self._resources[key] = value
            return self

        def set_cpu_cores(self, cpu_cores: float) -> SlotSharingGroup.Builder:
            """Set the CPU cores."""
            return self._set("cpu", cpu_cores)

        def set_task_heap_memory(self, task_heap_memory: str | MemorySize) -> SlotSharingGroup.Builder:
            """Set the heap memory."""
            return self._set("heap", _size(task_heap_memory))

        def set_task_heap_memory_mb(self, task_heap_memory_mb: int) -> SlotSharingGroup.Builder:
            """Set the heap memory in MiB."""
            return self._set("heap", MemorySize.of_mebi_bytes(task_heap_memory_mb))

        def set_task_off_heap_memory(self, task_off_heap_memory: str | MemorySize) -> SlotSharingGroup.Builder:
            """Set the off-heap memory."""
            return self._set("off_heap", _size(task_off_heap_memory))

        def set_task_off_heap_memory_mb(self, task_off_heap_memory_mb: int) -> SlotSharingGroup.Builder:
            """Set the off-heap memory in MiB."""
            return self._set("off_heap", MemorySize.of_mebi_bytes(task_off_heap_memory_mb))

        def set_managed_memory(self, managed_memory: str | MemorySize) -> SlotSharingGroup.Builder:
            """Set the managed memory."""
            return self._set("managed", _size(managed_memory))

        def set_managed_memory_mb(self, managed_memory_mb: int) -> SlotSharingGroup.Builder:
            """Set the managed memory in MiB."""
            return self._set("managed", MemorySize.of_mebi_bytes(managed_memory_mb))

        def set_external_resource(self, name: str, value: float) -> SlotSharingGroup.Builder:
            """Set an external resource."""
            self._resources.setdefault("external", {})[name] = value
            return self

        def build(self) -> SlotSharingGroup:
            """Return the group."""
            return SlotSharingGroup(self._name, self._resources)


def _size(size: str | MemorySize) -> MemorySize:
    return size if isinstance(size, MemorySize) else MemorySize.parse(size)
