"""The comparison finds each kind of fault; a demo that could not fail would prove nothing."""

import pytest

from demo.verdict import Record, Rule, Verdict, compare

RULE = Rule(key=("airport",), identity=("airport", "hour"))


def window(airport: str, hour: int, flights: int = 1) -> Record:
    return {"airport": airport, "hour": hour, "flights": flights}


EXPECTED = [window("JFK", 1), window("JFK", 2), window("LGA", 1)]


def verdict(*found: Record) -> Verdict:
    return compare(EXPECTED, found, RULE, [str(record.get("airport")).encode() for record in found])


def faults(of: Verdict) -> dict[str, int]:
    return {kind: len(cases) for kind, cases in of.faults() if cases}


def test_the_same_records_are_right() -> None:
    assert verdict(*EXPECTED).is_right


def test_keys_may_be_interleaved_in_any_way() -> None:
    assert verdict(EXPECTED[2], EXPECTED[0], EXPECTED[1]).is_right


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (EXPECTED[:2], {"missing": 1}),
        ([*EXPECTED, EXPECTED[0]], {"twice": 1}),
        ([*EXPECTED, window("JFK", 1, flights=9)], {"twice": 1}),
        ([window("JFK", 1, flights=9), *EXPECTED[1:]], {"different": 1}),
        ([*EXPECTED, window("EWR", 1)], {"unexpected": 1}),
        ([*EXPECTED, {"airport": "JFK"}], {"unexpected": 1}),
        ([EXPECTED[1], EXPECTED[0], EXPECTED[2]], {"out of order": 1}),
        ([], {"missing": 3}),
    ],
)
def test_each_fault_is_found_and_named(found: list[Record], fault: dict[str, int]) -> None:
    assert faults(verdict(*found)) == fault
    assert not verdict(*found).is_right


def test_a_record_under_a_foreign_key_is_found() -> None:
    judged = compare(EXPECTED, EXPECTED, RULE, [b"JFK", b"JFK", b"JFK"])
    assert faults(judged) == {"wrong key": 1}


def test_an_empty_output_that_has_to_be_empty_is_right() -> None:
    assert compare([], [], RULE, []).is_right
