"""The hash of a long key takes time in proportion to its length, and no memory."""

from __future__ import annotations

import pytest

from wiesel.core.java_hash import MASK, bytes_hash, string_hash


def by_definition(text: str) -> int:
    total = 0
    for character in text:
        total = (total * 31 + ord(character)) & MASK
    return total


@pytest.mark.parametrize("length", [0, 1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 5000])
def test_text_of_any_length_hashes_as_java_does(length: int) -> None:
    text = "".join(chr(32 + i * i % 90) for i in range(length))
    assert string_hash(text) == by_definition(text)


def test_bytes_longer_than_a_block_hash_as_java_does() -> None:
    total = 1
    data = bytes(i * 7 % 256 for i in range(3000))
    for byte in data:
        total = (total * 31 + (byte - 256 if byte > 127 else byte)) & MASK
    assert bytes_hash(data) == total


def test_a_key_of_ten_megabytes_is_hashed_in_a_moment() -> None:
    assert string_hash("a" * 10_000_000) == (97 * sum_of_powers(10_000_000)) & MASK


def sum_of_powers(count: int) -> int:
    """Return 31**0 + … + 31**(count - 1) modulo 2**32."""
    modulus = (MASK + 1) * 30
    return (pow(31, count, modulus) - 1) % modulus // 30
