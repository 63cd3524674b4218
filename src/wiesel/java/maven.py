"""The only door to Maven Central: jgo, a resolver in plain Python, so that neither Maven nor Java is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wiesel.java.errors import JarError

if TYPE_CHECKING:
    from jgo.maven import MavenContext


def download(coordinate: str, repository: Path, timeout_seconds: int, packaging: str = "jar") -> Path:
    """Download one jar into `repository` (laid out as Maven's local repositories are) and return its file."""
    context = _context(repository, timeout_seconds)
    group, artifact, version, classifier = (*coordinate.split(":"), "")[:4]
    try:
        component = context.project(group, artifact).at_version(version)
        path = component.artifact(classifier, packaging).resolve()
    except (OSError, RuntimeError) as error:  # what requests raises is an OSError
        raise JarError(
            f"cannot download {coordinate} from Maven Central: {error}. Check the network, then start again."
        ) from error
    return Path(path)


def resolve_closure(coordinates: Sequence[str], repository: Path, timeout_seconds: int) -> dict[str, Path]:
    """Every jar needed at run time by `coordinates`, themselves included: coordinate → downloaded file."""
    context = _context(repository, timeout_seconds)
    roots, transitive = context.resolver.resolve([context.create_dependency(name) for name in coordinates])
    jars = {}
    for dependency in [*roots, *transitive]:
        parts = [dependency.groupId, dependency.artifactId, dependency.version, dependency.classifier]
        if dependency.type == "jar" and not dependency.optional:
            jars[":".join(part for part in parts if part)] = Path(dependency.artifact.resolve())
    return jars


def _context(repository: Path, timeout_seconds: int) -> MavenContext:
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    except ImportError as error:
        raise JarError("jgo is not installed; `pip install 'wiesel[broker]'` brings it.") from error
    # A mirror that the user configured for jgo is meant for us too; without one, jgo's default is Maven Central.
    mirrors = GlobalSettings.load().repositories
    return MavenContext(repo_cache=repository, remote_repos=mirrors or None, timeout=timeout_seconds)
