"""Window assigners take Time, not Duration.

Covers: S17
"""

from pyflink.common import Duration
from pyflink.datastream.window import TumblingEventTimeWindows

TumblingEventTimeWindows.of(Duration.of_seconds(5))
print("accepted")
