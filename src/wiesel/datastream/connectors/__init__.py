"""Sources and sinks (``pyflink.datastream.connectors``)."""

from __future__ import annotations

from wiesel.datastream.connectors.base import DeliveryGuarantee, Sink, Source

__all__ = ["DeliveryGuarantee", "Sink", "Source"]
