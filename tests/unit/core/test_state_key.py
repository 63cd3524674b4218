import dataclasses
import enum
import pickle
import subprocess
import sys

import cloudpickle
import pytest

from wiesel.core.state_key import PickledKey, canonical_pickle, is_plain_key, original_key, state_key


@dataclasses.dataclass(frozen=True)
class Route:
    origin: str
    destination: str


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize("key", ["a", 5, b"x", None, ("a", 1, None), ("a", ("b", (b"c",)))])
def test_plain_keys_are_their_own_identity(key) -> None:
    assert state_key(key) is key
    assert is_plain_key(key)


@pytest.mark.parametrize("key", [True, 1.5, [1], {"a": 1}, ("a", True), ("a", ("b", 1.0)), Route("A", "B"), {1, 2}])
def test_other_keys_are_wrapped_and_unwrapped(key) -> None:
    identity = state_key(key)
    assert isinstance(identity, PickledKey)
    assert original_key(identity) is key
    assert not is_plain_key(key)


def test_keys_that_python_holds_equal_are_different_keys() -> None:
    assert len({state_key(key) for key in (1, True, 1.0, 0, 0.0, -0.0, False, (1,), (True,), (1.0,))}) == 10


def test_equal_unhashable_keys_are_one_key() -> None:
    assert state_key([1, "a"]) == state_key([1, "a"])
    assert hash(state_key([1, "a"])) == hash(state_key([1, "a"]))
    assert state_key([1]) != state_key((1,))


def test_subclasses_of_plain_types_are_not_plain() -> None:
    class Name(str):
        pass

    assert state_key(Name("a")) != "a"


def test_wrapped_keys_survive_pickle() -> None:
    identity = state_key(Route("A", "B"))
    again = pickle.loads(pickle.dumps(identity))
    assert again == identity
    assert again.key == Route("A", "B")


@pytest.mark.parametrize("key", ["a", 5, 2**70, 1.5, True, None, ("a", 1), [1, "b"], {"k": (1, 2)}, b"x", ("a", "a")])
def test_pickle_of_ordinary_keys_is_the_one_pyflink_hashes(key) -> None:
    assert canonical_pickle(key) == cloudpickle.dumps(key)


def test_pickle_of_objects_does_not_depend_on_shared_texts() -> None:
    left, right = "".join(["JF", "K"]), "".join(["JF", "K"])
    assert canonical_pickle(Route(left, left)) == canonical_pickle(Route(left, right))
    assert canonical_pickle(Route(left, "LGA")) != canonical_pickle(Route("LGA", left))
    assert canonical_pickle((Colour.RED, Route(left, left))) == canonical_pickle((Colour.RED, Route(left, right)))


def test_class_of_the_script_hashes_alike_in_every_process() -> None:
    program = (
        "from dataclasses import dataclass\n"
        "from wiesel.core.state_key import canonical_pickle\n"
        "@dataclass\n"
        "class Key:\n    name: str\n    tags: frozenset\n"
        "print(canonical_pickle(Key('a', frozenset(['x', 'yy', 'zzz']))).hex())\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
