"""Pickles of values and keys: fast where pickle can refer to a class by name, by value where only cloudpickle can."""

from __future__ import annotations

import pickle
from typing import Any, Final

#: PyFlink pickles with cloudpickle, whose protocol is the highest of CPython 3.8 to 3.13. Hashes of keys, and with
#: them the subtask of every key, depend on it, so it stays 5 whatever later versions of Python prefer.
PICKLE_PROTOCOL: Final = 5


def pickle_value(value: Any) -> bytes:
    """Return a pickle that any process of the job can read.

    Raises:
        pickle.PicklingError, TypeError, AttributeError: something in the value cannot be pickled.
    """
    try:
        data = pickle.dumps(value, PICKLE_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError):
        return _pickle_by_value(value)
    # A reference into the script itself would be looked up in the worker's __main__, which is another module. A text
    # that merely says so goes the slow way too, and means the same.
    return _pickle_by_value(value) if b"__main__" in data else data


def _pickle_by_value(value: Any) -> bytes:
    import cloudpickle

    data: bytes = cloudpickle.dumps(value, PICKLE_PROTOCOL)
    return data


def unpickle_value(data: bytes) -> Any:
    """Return the value of a pickle that this job made; callers vouch for the bytes (HMAC of the checkpoint)."""
    return pickle.loads(data)
