"""What job.py imports."""

from iniconfig import IniConfig


def section_of(text: str) -> str:
    """The name of a text's first section, and what is in it."""
    section = next(iter(IniConfig("text", text)))
    return f"{section.name}: {dict(section.items())}"
