"""What a sink promises (PyFlink: ``pyflink.datastream.connectors.DeliveryGuarantee``)."""

from __future__ import annotations

import enum

__all__ = ["DeliveryGuarantee"]


class DeliveryGuarantee(enum.Enum):
    """What happens to records when something dies.

    ``EXACTLY_ONCE``: each record is published once, at the completion of the checkpoint it belongs to.
    ``AT_LEAST_ONCE``: no record is lost; some come twice after a failure.
    ``NONE``: records may be lost or come twice.
    """

    EXACTLY_ONCE = 0
    AT_LEAST_ONCE = 1
    NONE = 2
