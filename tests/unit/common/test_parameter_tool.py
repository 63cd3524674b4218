"""ParameterTool: parameters from arguments, files and the environment."""

from __future__ import annotations

import pytest

from wiesel.common.parameter_tool import ParameterTool
from wiesel.core.errors import ConfigurationError


def test_arguments_are_keys_with_values_or_flags():
    tool = ParameterTool.from_args(["--input", "x.txt", "-n", "-5", "--verbose", "--rate", "1.5", "--off", "false"])
    assert tool.get("input") == "x.txt"
    assert tool.get_int("n") == tool.get_long("n") == tool.get_short("n") == -5
    assert tool.get_float("rate") == tool.get_double("rate") == 1.5
    assert tool.get_boolean("verbose") is True
    assert tool.get_boolean("off") is False
    assert tool.has("verbose") and not tool.has("missing")
    assert tool.get_number_of_parameters() == 5


def test_programs_own_arguments_are_the_default(monkeypatch):
    monkeypatch.setattr("sys.argv", ["job.py", "--a", "b"])
    assert ParameterTool.from_args().to_map() == {"a": "b"}


def test_defaults_count_only_for_what_was_not_given():
    tool = ParameterTool.from_map({"n": "1"})
    assert (tool.get_int("n", 7), tool.get_int("m", 7)) == (1, 7)
    assert (tool.get("m", "x"), tool.get("m")) == ("x", None)
    assert (tool.get_boolean("b", True), tool.get_float("f", 0.5)) == (True, 0.5)


def test_missing_and_malformed_parameters_are_named():
    tool = ParameterTool.from_map({"n": "one"})
    with pytest.raises(ConfigurationError, match="required key 'input'"):
        tool.get_required("input")
    with pytest.raises(ConfigurationError, match="required key 'm'"):
        tool.get_int("m")
    with pytest.raises(ConfigurationError, match="--n must be a whole number"):
        tool.get_int("n")
    with pytest.raises(ConfigurationError, match="--n must be a number"):
        tool.get_float("n")
    with pytest.raises(ConfigurationError, match="Expected a key"):
        ParameterTool.from_args(["input"])


def test_properties_file(tmp_path):
    (tmp_path / "x.properties").write_text("# note\n! note\na = 1\nb: 2=3\n\nflag\n")
    assert ParameterTool.from_properties_file(str(tmp_path / "x.properties")).to_map() == {
        "a": "1",
        "b": "2=3",
        "flag": "",
    }


def test_environment(monkeypatch):
    monkeypatch.setenv("WIESEL_TEST_PARAMETER", "x")
    assert ParameterTool.from_system_properties().get("WIESEL_TEST_PARAMETER") == "x"


def test_merged_parameters_win_and_unrequested_ones_are_known():
    merged = ParameterTool.from_map({"a": "1", "b": "1"}).merge_with(ParameterTool.from_map({"b": "2"}))
    assert merged.to_map() == {"a": "1", "b": "2"}
    merged.get("a")
    assert merged.get_unrequested_parameters() == {"b"}
    assert merged.get_configuration().get_string("b", "") == "2"
