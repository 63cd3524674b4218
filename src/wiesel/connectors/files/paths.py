"""Where files are: a path of this machine, or a ``file:`` URI as Flink writes it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from wiesel.core.errors import ConfigurationError, UnsupportedError


def local_path(path: str) -> Path:
    """Return the absolute path, taken from the working directory of the script.

    Raises:
        UnsupportedError: it lies on another filesystem, such as ``s3://``.
    """
    text = str(path)
    if not text.strip():
        raise ConfigurationError("The path of files is empty.")
    scheme, _, rest = text.partition(":")
    if "/" in scheme or not rest:
        return Path(text).absolute()
    if scheme == "file":
        return Path(unquote(urlsplit(text).path)).absolute()
    if rest.startswith("/"):
        raise UnsupportedError(
            f"{text}: Wiesel reads and writes files of this machine only. Mount {scheme}:// as a folder, or run the "
            f"script with 'wiesel run --target flink'."
        )
    return Path(text).absolute()
