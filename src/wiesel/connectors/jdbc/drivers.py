"""JDBC URLs and the DB-API modules that serve them. A module is imported when a connection is made, not before."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from wiesel.core.errors import ConfigurationError, UnsupportedError


@dataclass(frozen=True, slots=True)
class Driver:
    """A way to a database.

    Args:
        paramstyle: how statements name parameters.
        connect: opens a connection.
        convert: makes of a value what the driver takes.
        errors: the driver's exception class for everything that may go away by itself or not.
    """

    paramstyle: str
    connect: Callable[[], Any]
    convert: Callable[[Any], Any]
    errors: type[Exception]


def driver_for(url: str, user: str | None, password: str | None) -> Driver:
    """Return the driver for a JDBC URL.

    Raises:
        ConfigurationError: it is no such URL, or the module it needs is not installed.
        UnsupportedError: no DB-API module is known for this database.
    """
    if not url.startswith("jdbc:"):
        raise ConfigurationError(f"A JDBC URL begins with 'jdbc:', such as jdbc:postgresql://host/db; got {url!r}.")
    name, _, rest = url.removeprefix("jdbc:").partition(":")
    make = _DRIVERS.get(name)
    if make is None:
        raise UnsupportedError(
            f"No Python driver is known for jdbc:{name}:. Known are {', '.join(f'jdbc:{n}:' for n in _DRIVERS)}. "
            f"Run the script with 'wiesel run --target flink'."
        )
    return make(rest, user, password)


def _sqlite(rest: str, user: str | None, password: str | None) -> Driver:
    import sqlite3

    path, _, query = rest.partition("?")
    options = dict(parse_qsl(query))
    timeout = int(options.get("busy_timeout", 5000)) / 1000
    return Driver("qmark", lambda: sqlite3.connect(path, timeout=timeout), _for_sqlite, sqlite3.Error)


def _for_sqlite(value: Any) -> Any:
    # SQLite has neither exact numbers nor times; as texts they sort and compare as they should.
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    return value


def _postgresql(rest: str, user: str | None, password: str | None) -> Driver:
    driver = _first_module(("psycopg", "psycopg2"), "PostgreSQL", "postgresql")
    arguments: dict[str, Any] = {}
    place = urlsplit(rest)
    if place.netloc:
        hosts = [urlsplit(f"//{host}") for host in place.netloc.split(",")]
        arguments["host"] = ",".join(host.hostname or "localhost" for host in hosts)
        arguments["port"] = ",".join(str(host.port or 5432) for host in hosts)
        database = place.path.removeprefix("/")
    else:
        database = rest.partition("?")[0]
    if database:
        arguments["dbname"] = unquote(database)
    options = dict(parse_qsl(place.query))
    user, password = user or options.pop("user", None), password or options.pop("password", None)
    arguments |= {"user": user, "password": password} if user else {}
    arguments |= _translated(options, {"ssl": None, "currentSchema": None, "ApplicationName": "application_name"})
    if options.get("currentSchema"):
        arguments["options"] = f"-csearch_path={options['currentSchema']}"
    return Driver("pyformat", lambda: driver.connect(**arguments), _same, driver.Error)


def _mysql(rest: str, user: str | None, password: str | None) -> Driver:
    driver = _first_module(("pymysql", "MySQLdb"), "MySQL", "mysql")
    place = urlsplit(rest)
    options = dict(parse_qsl(place.query))
    arguments = {
        "host": place.hostname or "localhost",
        "port": place.port or 3306,
        "user": user or options.get("user"),
        "password": password or options.get("password") or "",
        "database": unquote(place.path.removeprefix("/")) or None,
    }
    return Driver("format", lambda: driver.connect(**arguments), _same, driver.Error)


def _translated(options: Mapping[str, str], names: Mapping[str, str | None]) -> dict[str, str]:
    translated = ((names.get(key, key), value) for key, value in options.items())
    return {key: value for key, value in translated if key is not None}


def _same(value: Any) -> Any:
    return value


def _first_module(names: tuple[str, ...], database: str, extra: str) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    raise ConfigurationError(
        f"{database} needs a Python driver ({' or '.join(names)}): pip install 'wiesel[{extra}]'."
    ) from None


_DRIVERS: Final[dict[str, Callable[[str, str | None, str | None], Driver]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
}
