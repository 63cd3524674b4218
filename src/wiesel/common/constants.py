"""Java's bounds of 64-bit numbers (mirrors ``pyflink.common.constants``)."""

from typing import Final

#: The largest Java long: the watermark behind the last record.
MAX_LONG_VALUE: Final = 2**63 - 1
#: The smallest Java long: the timestamp of a record that has none.
MIN_LONG_VALUE: Final = -(2**63)
#: Name of the main output.
DEFAULT_OUTPUT_TAG: Final = ""
