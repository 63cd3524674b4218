"""Wiesel runs Apache Flink's Python programs in plain Python."""

__version__ = "0.1.0.dev0"


def activate() -> None:
    """Let ``import pyflink`` mean Wiesel in this process from now on, even where PyFlink is installed.

    ``wiesel run`` and the pytest plugin do this for you; a notebook or a script that is run by plain ``python`` calls
    it before its first import of ``pyflink``.
    """
    from wiesel.compat import alias

    alias.activate()
