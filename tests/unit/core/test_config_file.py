from pathlib import Path

import pytest

from wiesel.core.errors import ConfigurationError
from wiesel.core.options import expand_variables, load_config_file


def load(tmp_path: Path, text: str, **environment: str) -> dict[str, str]:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return load_config_file(path, environment).to_dict()


def test_nested_and_flat_keys_mean_the_same(tmp_path: Path) -> None:
    text = "execution:\n  checkpointing:\n    interval: 10 s\nparallelism.default: 4\nstate: {backend.type: rocksdb}\n"
    assert load(tmp_path, text) == {
        "execution.checkpointing.interval": "10 s",
        "parallelism.default": "4",
        "state.backend.type": "rocksdb",
    }


def test_values_stay_the_text_that_was_written(tmp_path: Path) -> None:
    assert load(tmp_path, "a: 1:30\nb: yes\nc: 010\nd: 1.10\ne: '8'\n") == {
        "a": "1:30",
        "b": "yes",
        "c": "010",
        "d": "1.10",
        "e": "8",
    }


def test_lists_become_flink_s_lists(tmp_path: Path) -> None:
    assert load(tmp_path, "pipeline.jars: [a.jar, b.jar]\n") == {"pipeline.jars": "a.jar;b.jar"}


def test_an_empty_file_is_an_empty_configuration(tmp_path: Path) -> None:
    assert load(tmp_path, "# nothing\n") == {}


def test_variables_of_the_environment_are_filled_in_once(tmp_path: Path) -> None:
    assert load(tmp_path, "a: x-${NAME}-y\n", NAME="${OTHER}") == {"a": "x-${OTHER}-y"}
    assert expand_variables("$NAME ${n", "here", {}) == "$NAME ${n"


def test_an_unset_variable_names_file_key_and_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"config\.yaml: a\.b needs the environment variable SECRET"):
        load(tmp_path, "a:\n  b: ${SECRET}\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\n", "no valid YAML"),
        ("- a\n", "must hold keys and values, not a list"),
        ("just text\n", "must hold keys and values, not a str"),
        ("a: 1\na: 2\n", "line 2: a is there twice"),
        ("a.b: 1\na: {b: 2}\n", "a.b is there twice, once nested and once flat"),
        ("[x]: 1\n", "a key must be text"),
    ],
)
def test_a_broken_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"Cannot read the configuration file .*nowhere\.yaml"):
        load_config_file(tmp_path / "nowhere.yaml")
