"""Where the clock of the public test kit was."""

from wiesel.testing.clock import ManualClock

__all__ = ["ManualClock"]
