"""Pytest plugin: in a session that asks for it, ``import pyflink`` means Wiesel, and there are fixtures for a Kafka.

Ask with ``wiesel = true`` in pytest's configuration file, or with ``--wiesel`` for one session. Merely installing
Wiesel changes nothing, because somebody may test against the real PyFlink in the same environment.
"""

from __future__ import annotations

import pytest

from wiesel.compat import alias

_ACTIVATED = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the switch."""
    group = parser.getgroup("wiesel")
    group.addoption(
        "--wiesel",
        action="store_true",
        default=None,
        dest="wiesel",
        help="let 'import pyflink' mean Wiesel in this session",
    )
    group.addoption(
        "--no-wiesel", action="store_false", dest="wiesel", help="leave pyflink alone, whatever the configuration says"
    )
    parser.addini("wiesel", "let 'import pyflink' mean Wiesel", type="bool", default=False)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Activate the alias before the first conftest, and so before anything can import pyflink."""
    asked = early_config.known_args_namespace.wiesel
    wanted = early_config.getini("wiesel") if asked is None else asked
    if wanted and not alias.is_active():
        alias.activate()
        early_config.stash[_ACTIVATED] = True
    if wanted:
        from wiesel.testing import kafka_fixtures

        early_config.pluginmanager.register(kafka_fixtures, "wiesel-kafka-fixtures")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say so at the top of the session."""
    return "wiesel: 'import pyflink' means Wiesel" if config.stash.get(_ACTIVATED, False) else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Give the name back, for sessions inside of sessions."""
    if config.stash.get(_ACTIVATED, False):
        alias.deactivate()
