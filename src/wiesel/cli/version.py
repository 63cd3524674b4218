"""``wiesel version``."""

from __future__ import annotations

import click


@click.command()
def version() -> None:
    """Show the versions of Wiesel and of the PyFlink it answers for.

    \b
    Example:
      wiesel version
    """
    import platform

    from wiesel import __version__
    from wiesel.compat.names import PYFLINK_VERSION

    click.echo(f"wiesel {__version__}, the API of PyFlink {PYFLINK_VERSION}, Python {platform.python_version()}")
