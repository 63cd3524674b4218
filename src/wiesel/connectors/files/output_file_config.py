"""How part files are called (Flink: ``OutputFileConfig``)."""

from __future__ import annotations

from typing import NoReturn

from wiesel.core.errors import ConfigurationError, UnsupportedError


class OutputFileConfig:
    """Prefix and suffix of part files: ``<prefix>-<id of the writer>-<number><suffix>``.

    Args:
        part_prefix: how names begin.
        part_suffix: how names end, such as ``.csv``.
    """

    def __init__(self, part_prefix: str, part_suffix: str) -> None:
        for text in (part_prefix, part_suffix):
            if "/" in text:
                raise ConfigurationError(f"A prefix or suffix of part files cannot hold '/': {text!r}.")
        if part_prefix.startswith((".", "_")):
            raise ConfigurationError(
                f"The prefix {part_prefix!r} would make finished files hidden ones, which no file source reads."
            )
        self._part_prefix = part_prefix
        self._part_suffix = part_suffix

    @staticmethod
    def builder() -> OutputFileConfig.OutputFileConfigBuilder:
        """Return a builder."""
        return OutputFileConfig.OutputFileConfigBuilder()

    def get_part_prefix(self) -> str:
        """Return the prefix."""
        return self._part_prefix

    def get_part_suffix(self) -> str:
        """Return the suffix."""
        return self._part_suffix

    def get_java_object(self) -> NoReturn:
        """Raise: there is no Java object behind it here."""
        raise UnsupportedError("There is no Java here; pass the OutputFileConfig itself.")

    class OutputFileConfigBuilder:
        """Builds an ``OutputFileConfig``; without calls it is ``part`` and no suffix."""

        def __init__(self) -> None:
            self.part_prefix = "part"
            self.part_suffix = ""

        def with_part_prefix(self, prefix: str) -> OutputFileConfig.OutputFileConfigBuilder:
            """Set the prefix."""
            self.part_prefix = prefix
            return self

        def with_part_suffix(self, suffix: str) -> OutputFileConfig.OutputFileConfigBuilder:
            """Set the suffix."""
            self.part_suffix = suffix
            return self

        def build(self) -> OutputFileConfig:
            """Return the configuration."""
            return OutputFileConfig(self.part_prefix, self.part_suffix)
