"""What the process tells its supervisor on exit; documented for users in docs/exit-codes.md.

The typed errors in :mod:`wiesel.core.errors` carry the code of their family as ``exit_code``.
"""

from __future__ import annotations

from typing import Final

#: The script ran to its end; with ``--resume`` also: the job had already finished.
OK: Final = 0
#: The job or the script itself failed in code of the user's, or in a way that no other code tells apart.
FAILED: Final = 1
#: Wrong usage or configuration, found before the job started; the same command will fail again.
USAGE: Final = 2
#: Another system (the broker, a topic, rights on them) is not there or refuses us.
OUTSIDE_SYSTEM: Final = 3
#: State: a checkpoint is missing, corrupt, foreign or contradicts what the broker says; a person has to look.
STATE: Final = 4
#: Another incarnation of the job is alive and owns it; this one must not be restarted blindly.
OWNED_BY_ANOTHER: Final = 5
#: Cancelled from outside (``wiesel cancel``); not to be started again by a supervisor.
CANCELED: Final = 6
#: Stopped by Ctrl-C (128 + SIGINT), normally after a final checkpoint: ``--resume`` continues.
INTERRUPTED: Final = 130
#: Stopped by SIGTERM (128 + SIGTERM), normally after a final checkpoint: ``--resume`` continues.
TERMINATED: Final = 143


def for_signal(signal_number: int) -> int:
    """Exit code of a process that ends because of a signal, as shells, Docker and Kubernetes report it.

    A job that was stopped has not finished, so it does not exit with 0: a supervisor of bounded jobs must be able to
    tell the two apart.
    """
    return 128 + signal_number
