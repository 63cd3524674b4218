"""The external merge sort: the same order whether memory holds all records or hardly any."""

from __future__ import annotations

import io
import random
from typing import IO

import pytest

from wiesel.runtime.external_sort import ExternalSorter, SortRecord


class Files:
    """Opens files in memory and remembers them."""

    def __init__(self) -> None:
        self.opened: list[io.BytesIO] = []

    def open(self) -> IO[bytes]:
        self.opened.append(io.BytesIO())
        return self.opened[-1]


def records(count: int) -> list[SortRecord]:
    chance = random.Random(7)
    return [
        SortRecord(b"%d" % chance.randrange(9), chance.randrange(50), number, 0, None, {"number": number}, 0)
        for number in range(count)
    ]


def drained(memory: int, taken: list[SortRecord], files: Files) -> list[SortRecord]:
    sorter = ExternalSorter(memory, files.open)
    for start in range(0, len(taken), 10):
        sorter.add(taken[start : start + 10])
    return list(sorter.drain())


def test_what_fits_into_memory_touches_no_file() -> None:
    files, taken = Files(), records(500)
    assert drained(1 << 20, taken, files) == sorted(taken)
    assert files.opened == []


@pytest.mark.parametrize("batches_in_memory", [1, 7])
def test_files_give_the_same_order_and_are_closed(batches_in_memory: int) -> None:
    files, taken = Files(), records(1500)
    assert drained(batches_in_memory * 3000, taken, files) == sorted(taken)
    assert len(files.opened) > 10
    assert all(file.closed for file in files.opened)


def test_many_files_become_one_so_that_few_are_open() -> None:
    files, taken = Files(), records(1500)
    sorter = ExternalSorter(1, files.open)
    most = 0
    for record in taken:
        sorter.add([record])
        most = max(most, sum(not file.closed for file in files.opened))
    assert list(sorter.drain()) == sorted(taken)
    assert most <= 65


def test_a_sorter_that_is_closed_has_closed_its_files() -> None:
    files = Files()
    sorter = ExternalSorter(1, files.open)
    sorter.add(records(10))
    sorter.close()
    assert [file.closed for file in files.opened] == [True]
