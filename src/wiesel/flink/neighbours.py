"""The modules beside a script that it imports: a cluster's workers import them again, so they travel with the job."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterator
from pathlib import Path


def imported_neighbours(script: Path, root: Path) -> list[Path]:
    """Return the files and package folders of `root` that a script imports, itself or through one another.

    Reads sources without running them, so a name that is put together while the program runs is not seen.

    Args:
        script: where to begin.
        root: the folder that leads the import path: the script's own, or with ``-m`` the working directory.
    """
    found: dict[Path, None] = {}
    unread = [script]
    while unread:
        for name in _imported(unread.pop()):
            neighbour = _neighbour(root, name)
            if neighbour is not None and neighbour != script and neighbour not in found:
                found[neighbour] = None
                unread += neighbour.rglob("*.py") if neighbour.is_dir() else [neighbour]
    return sorted(found)


def copy_neighbours(neighbours: list[Path], folder: Path) -> None:
    """Copy them into `folder`, which is then one entry of the workers' import path."""
    folder.mkdir(parents=True, exist_ok=True)
    for neighbour in neighbours:
        if neighbour.is_dir():
            shutil.copytree(neighbour, folder / neighbour.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(neighbour, folder)


def _imported(source: Path) -> Iterator[str]:
    """The first parts of the names that a file imports; those of its own package are with it anyway."""
    try:
        tree = ast.parse(source.read_bytes(), str(source))
    except (SyntaxError, ValueError):
        return  # running it tells what is wrong, and where
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _neighbour(root: Path, name: str) -> Path | None:
    package, module = root / name, root / f"{name}.py"
    # Python takes a package before a module, and a folder without __init__.py only if it holds code.
    if package.is_dir() and ((package / "__init__.py").exists() or (not module.exists() and any(package.glob("*.py")))):
        return package
    return module if module.is_file() else None
