"""Reads the one line of `sasl.jaas.config`."""

from __future__ import annotations

import re
from typing import Final

_QUOTED: Final = re.compile(r'([\w.]+)\s*=\s*"((?:[^"\\]|\\.)*)"')
_BARE: Final = re.compile(r"([\w.]+)\s*=\s*([^\s\";]+)")


def jaas_options(line: str) -> dict[str, str]:
    """Return the options behind the login module's name, their escapes undone."""
    quoted = dict(_QUOTED.findall(line))
    bare = dict(_BARE.findall(_QUOTED.sub("", line)))
    return {name: re.sub(r"\\(.)", r"\1", value) for name, value in {**bare, **quoted}.items()}
