"""How many examples Hypothesis tries: a few hundred in CI, ``make property`` multiplies them."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def examples(in_ci: int) -> settings:
    """Return settings for so many examples, times ``WIESEL_EXAMPLES``."""
    times = int(os.environ.get("WIESEL_EXAMPLES", "1"))
    return settings(
        max_examples=in_ci * times,
        deadline=None,
        # Long streams are what these tests are about.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
