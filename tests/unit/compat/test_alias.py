"""The import alias: what ``import pyflink`` means while it is active."""

import logging
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle
import pytest

import wiesel
from wiesel.compat import alias, names
from wiesel.compat.errors import UnsupportedNameError

Room = Callable[..., ModuleType]


@pytest.fixture
def active() -> Iterator[None]:
    was_active = alias.is_active()
    wiesel.activate()
    yield
    alias.deactivate()
    if was_active:
        alias.activate()


@pytest.fixture
def room(active: None, monkeypatch: pytest.MonkeyPatch) -> Room:
    """Puts a module of ours in place, so that these tests do not depend on what is built by now."""

    def build(path: str, **members: Any) -> ModuleType:
        module = ModuleType(path, f"The room {path}.")
        module.__path__ = []
        module.__dict__.update(members, __all__=sorted(members))
        monkeypatch.setitem(sys.modules, path, module)
        return module

    return build


class Row: ...


class DataStream: ...


def test_a_class_is_the_same_object_under_both_paths(room: Room) -> None:
    ours = room("wiesel.common", Row=Row)
    import pyflink.common

    assert pyflink.common.Row is ours.Row


def test_a_module_that_only_pyflink_has_shows_what_the_room_around_it_holds(room: Room) -> None:
    room("wiesel.datastream", TimerService=Row, DataStream=DataStream)
    from pyflink.datastream.timerservice import TimerService as AliasedTimerService

    assert AliasedTimerService is Row


def test_a_module_of_ours_goes_before_the_room_around_it(room: Room) -> None:
    room("wiesel.common", Row=object)
    room("wiesel.common.types", Row=Row)
    from pyflink.common.types import Row as AliasedRow

    assert AliasedRow is Row


def test_a_module_imported_under_another_name_has_the_names(room: Room) -> None:
    room("wiesel.datastream")
    room("wiesel.datastream.functions", MapFunction=Row)
    import pyflink.datastream.functions as f

    assert f.MapFunction is Row
    assert f.__name__ == "pyflink.datastream.functions"


def test_a_submodule_is_reachable_without_its_own_import(room: Room) -> None:
    room("wiesel.datastream")
    room("wiesel.datastream.window", TimeWindow=Row)
    import pyflink.datastream

    assert pyflink.datastream.window.TimeWindow is Row


def test_star_import_gives_exactly_the_names_of_pyflink(room: Room) -> None:
    room("wiesel.datastream", DataStream=DataStream, extension=object)
    namespace: dict[str, Any] = {}
    exec("from pyflink.datastream import *", namespace)
    del namespace["__builtins__"]

    assert set(namespace) == names.names_of("datastream")
    assert namespace["DataStream"] is DataStream


def test_connectors_show_the_classes_of_their_modules_as_pyflink_does(room: Room) -> None:
    room("wiesel.datastream")
    room("wiesel.datastream.connectors")
    room("wiesel.datastream.connectors.kafka", KafkaSource=Row)
    from pyflink.datastream.connectors import KafkaSource

    assert KafkaSource is Row


def test_a_misspelled_name_is_answered_with_the_nearest(active: None) -> None:
    with pytest.raises(
        ImportError,
        match=r"module 'pyflink.datastream' has no name 'StreamExecutionEnviroment'. "
        r"Did you mean 'StreamExecutionEnvironment'\?",
    ):
        exec("from pyflink.datastream import StreamExecutionEnviroment")


def test_a_misspelled_attribute_is_answered_with_the_nearest(active: None) -> None:
    import pyflink.datastream

    with pytest.raises(AttributeError, match=r"Did you mean 'DataStream'\?"):
        _ = pyflink.datastream.Datastream


def test_a_misspelled_module_is_answered_with_the_nearest(active: None) -> None:
    with pytest.raises(ImportError, match=r"module 'pyflink' has no name 'datastreams'. Did you mean 'datastream'\?"):
        exec("import pyflink.datastreams.window")


def test_a_name_looked_for_in_the_wrong_module_is_answered_with_the_right_one(active: None) -> None:
    with pytest.raises(ImportError, match=r"It is in 'pyflink.datastream'"):
        exec("from pyflink.common import MapFunction")


def test_hasattr_works_on_an_aliased_module(active: None) -> None:
    import pyflink.datastream

    assert not hasattr(pyflink.datastream, "NoSuchThing")
    assert not hasattr(pyflink.datastream, "__file__")


def test_a_name_of_ours_alone_raises_under_pyflink_and_names_its_path(room: Room) -> None:
    room("wiesel.datastream", DataStream=DataStream, JoinedStreams=Row)
    with pytest.raises(ImportError, match=r"'JoinedStreams' is Wiesel's own.*import it from 'wiesel.datastream'"):
        exec("from pyflink.datastream import JoinedStreams")
    import pyflink.datastream

    with pytest.raises(AttributeError, match=r"import it from 'wiesel.datastream'"):
        _ = pyflink.datastream.JoinedStreams
    assert "JoinedStreams" not in dir(pyflink.datastream)


def test_a_module_of_ours_alone_raises_under_pyflink_and_names_its_path(active: None) -> None:
    with pytest.raises(ImportError, match=r"'runtime' is Wiesel's own.*import it from 'wiesel'"):
        exec("import pyflink.runtime")


def test_a_fault_inside_a_module_of_ours_is_not_taken_for_a_missing_module(
    active: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "metrics"
    broken.mkdir()
    (broken / "__init__.py").write_text("import a_dependency_that_is_missing")
    monkeypatch.setattr(wiesel, "__path__", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "wiesel.metrics", raising=False)
    with pytest.raises(ModuleNotFoundError, match="a_dependency_that_is_missing"):
        exec("import pyflink.metrics")


def test_a_name_that_wiesel_cannot_serve_imports_and_raises_when_used(active: None) -> None:
    from pyflink.java_gateway import get_gateway
    from pyflink.table import StreamTableEnvironment

    with pytest.raises(UnsupportedNameError, match="no JVM"):
        get_gateway()
    with pytest.raises(UnsupportedNameError, match="no SQL and no Table API yet"):
        StreamTableEnvironment.create(None)
    with pytest.raises(NotImplementedError):
        StreamTableEnvironment()


@pytest.mark.parametrize("use", ["Schema()", "Schema.new_builder", "Schema[int]", "type('Mine', (Schema,), {})"])
def test_no_use_of_a_placeholder_passes_silently(active: None, use: str) -> None:
    from pyflink.table import Schema

    with pytest.raises(UnsupportedNameError, match=r"pyflink\.table\.Schema"):
        eval(use, {"Schema": Schema})


def test_a_placeholder_serves_as_annotation(active: None) -> None:
    from pyflink.table import Table

    def function(table: Table | None) -> Table: ...

    assert function.__annotations__["return"] is Table
    assert not isinstance(object(), Table)


def test_an_old_spelling_works_with_a_note_that_names_the_new_one(room: Room) -> None:
    room("wiesel.datastream", ExternalizedCheckpointRetention=Row)
    with pytest.warns(
        DeprecationWarning, match=r"renamed.*use pyflink.datastream.ExternalizedCheckpointRetention"
    ) as w:
        from pyflink.datastream import ExternalizedCheckpointCleanup

    assert ExternalizedCheckpointCleanup is Row
    assert Path(w[0].filename) == Path(__file__)


def test_a_schema_imported_from_where_pyflink_1_had_it_is_the_one_of_today(room: Room) -> None:
    room("wiesel.common")
    room("wiesel.datastream")
    room("wiesel.datastream.formats")
    room("wiesel.datastream.formats.json", JsonRowDeserializationSchema=Row)
    with pytest.warns(DeprecationWarning, match="moved"):
        from pyflink.common.serialization import JsonRowDeserializationSchema

    assert JsonRowDeserializationSchema is Row


def test_the_version_is_that_of_the_pyflink_that_is_answered_for(active: None) -> None:
    import pyflink.version

    assert pyflink.version.__version__ == "2.3.0"


def test_a_pickle_resolves_by_either_path(room: Room) -> None:
    room("wiesel.common", Row=Row)
    for path in ("pyflink.common", "wiesel.common"):
        assert pickle.loads(f"c{path}\nRow\n.".encode()) is Row


def test_a_function_that_mentions_an_aliased_module_survives_cloudpickle(room: Room) -> None:
    room("wiesel.common", Row=Row)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec("import pyflink.common as common\ndef make(): return common.Row()", namespace)
    restored = pickle.loads(cloudpickle.dumps(namespace["make"]))

    assert type(restored()) is Row


def test_a_placeholder_survives_cloudpickle_as_itself(active: None) -> None:
    from pyflink.table import Schema

    assert pickle.loads(cloudpickle.dumps(Schema)) is Schema


@pytest.fixture
def installed_pyflink(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    was_active = alias.is_active()
    alias.deactivate()
    package = tmp_path / "pyflink"
    package.mkdir()
    (package / "__init__.py").write_text("real = True")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield package
    alias.deactivate()
    sys.modules.pop("pyflink", None)
    if was_active:
        alias.activate()


def test_wiesel_answers_even_where_pyflink_is_installed_and_says_so_once(
    installed_pyflink: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "wiesel")
    wiesel.activate()
    wiesel.activate()
    import pyflink

    assert not hasattr(pyflink, "real")
    assert [record.getMessage() for record in caplog.records] == [
        f"PyFlink is installed too ({installed_pyflink / '__init__.py'}); in this process 'pyflink' means Wiesel"
    ]


def test_deactivation_gives_an_imported_pyflink_back(installed_pyflink: Path, caplog: pytest.LogCaptureFixture) -> None:
    import pyflink as real

    wiesel.activate()
    import pyflink as aliased

    assert "imported before Wiesel took over" in caplog.text
    alias.deactivate()
    import pyflink as again

    assert aliased is not real
    assert again is real


def test_without_the_alias_pyflink_is_none_of_our_business() -> None:
    if alias.is_active():
        pytest.skip("this session runs under the alias")
    assert "pyflink" not in sys.modules
