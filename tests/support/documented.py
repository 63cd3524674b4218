"""Programs out of a page of the documentation: each block begins with a comment that names its file."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"# (\w+\.py)\n")


def files_of(page: str) -> dict[str, str]:
    """Return the Python files that a page shows, by their names; a block without one is a mistake of the page."""
    files: dict[str, str] = {}
    for block in _BLOCK.findall((ROOT / page).read_text(encoding="utf-8")):
        name = _NAME.match(block)
        assert name is not None, f"this block of {page} does not begin with `# its_name.py`:\n{block}"
        files[name[1]] = block
    return files
