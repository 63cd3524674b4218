"""Which modules beside a script travel with it."""

from pathlib import Path

from wiesel.flink.neighbours import copy_neighbours, imported_neighbours


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".py").write_text(text)


def names(folder: Path) -> list[str]:
    return [path.name for path in imported_neighbours(folder / "job.py", folder)]


def test_modules_that_the_script_imports_are_found_through_one_another_and_others_stay(tmp_path):
    write(tmp_path, job="import json, first\nimport os.path", first="from second import x", second="x = 1", unused="")
    assert names(tmp_path) == ["first.py", "second.py"]


def test_an_import_inside_of_a_function_counts(tmp_path):
    write(tmp_path, job="def f(x):\n    from late import g\n    return g(x)", late="def g(x): return x")
    assert names(tmp_path) == ["late.py"]


def test_a_package_travels_whole_with_what_its_modules_import(tmp_path):
    write(tmp_path, job="from package.inner import f", package____init__="", package__inner="import other", other="")
    (tmp_path / "package" / "__init__.py").write_text("")
    assert names(tmp_path) == ["other.py", "package"]


def test_modules_that_import_each_other_or_the_script_end_the_search(tmp_path):
    write(tmp_path, job="import first", first="import second, job", second="import first")
    assert names(tmp_path) == ["first.py", "second.py"]


def test_a_neighbour_that_is_no_python_is_left_to_the_run(tmp_path):
    write(tmp_path, job="import broken", broken="def (")
    assert names(tmp_path) == ["broken.py"]


def test_copies_lie_side_by_side_without_compiled_files(tmp_path):
    write(tmp_path, job="import first, package", first="", package__inner="")
    (tmp_path / "package" / "__pycache__").mkdir()
    copy_neighbours(imported_neighbours(tmp_path / "job.py", tmp_path), tmp_path / "copy")
    found = sorted(str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*"))
    assert found == ["first.py", "package", "package/inner.py"]
