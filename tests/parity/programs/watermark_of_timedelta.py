"""for_bounded_out_of_orderness() takes a Duration, not a timedelta.

Covers: S17
"""

from datetime import timedelta

from pyflink.common import WatermarkStrategy

WatermarkStrategy.for_bounded_out_of_orderness(timedelta(seconds=1))
print("accepted")
