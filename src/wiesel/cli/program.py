"""The program that ``run`` and ``plan`` execute: a script or module of the user's, as ``__main__`` of this process.

It has to be the real ``__main__``: functions defined in it are then pickled by value, tracebacks show its lines, and a
debugger finds its variables.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from wiesel.core import exit_codes, launch


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: a script's file or a module's name, its arguments, and how to report on it."""

    script: Path | None
    module: str | None
    arguments: Sequence[str]
    log_format: str
    log_level: str
    verbose: bool

    @property
    def name(self) -> str:
        """The script's file name without its suffix, or the module's name."""
        return self.script.stem if self.script is not None else str(self.module)


def run_program(program: Program, options: launch.LaunchOptions) -> int:
    """Run the program with the import alias active and return the exit code of the process.

    A failure is reported on stderr; ``SystemExit`` of the script's own comes out as it is.
    """
    from wiesel.cli.logging import set_up_logging
    from wiesel.compat import alias

    set_up_logging(program.log_format, program.log_level)
    launch.set_current(options)
    try:
        alias.activate()
        if program.script is not None:
            run_script(program.script, program.arguments)
        else:
            run_module(str(program.module), program.arguments)
    except Exception as error:
        from wiesel.cli.errors import show_error

        return show_error(error, verbose=program.verbose, as_json=program.log_format == "json")
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    return exit_codes.OK


def run_script(script: Path, arguments: Sequence[str]) -> None:
    """Run a file as ``python FILE`` would; everything that it raises comes out."""
    path = script.absolute()
    _replace_import_root(str(path.resolve().parent))
    code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    main = ModuleType("__main__")
    main.__file__, main.__loader__ = str(path), SourceFileLoader("__main__", str(path))
    _run(code, main, [str(script), *arguments])


def run_module(name: str, arguments: Sequence[str]) -> None:
    """Run a module as ``python -m NAME`` would; a package runs its ``__main__``."""
    from importlib.util import find_spec

    _replace_import_root(str(Path.cwd()))
    spec = find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = find_spec(f"{name}.__main__")
    loader = spec.loader if spec is not None else None
    code = loader.get_code(spec.name) if spec is not None and isinstance(loader, SourceFileLoader) else None
    if spec is None or spec.origin is None or code is None:
        raise ModuleNotFoundError(f"no module named '{name}' that can be run from source", name=name)
    main = ModuleType("__main__")
    main.__file__, main.__loader__, main.__spec__, main.__package__ = spec.origin, loader, spec, spec.parent
    _run(code, main, [spec.origin, *arguments])


def _replace_import_root(folder: str) -> None:
    """Put ``folder`` where Python put the folder of the ``wiesel`` command, so that nothing there shadows a module."""
    if not sys.flags.safe_path and sys.path and sys.path[0] in {"", str(Path(sys.argv[0]).resolve().parent)}:
        del sys.path[0]
    sys.path.insert(0, folder)


def _run(code: CodeType, main: ModuleType, argv: list[str]) -> None:
    sys.argv[:] = argv
    sys.modules["__main__"] = main
    exec(code, main.__dict__)  # noqa: S102 - to run the user's own script is the purpose
