"""Windows whose elements an evictor may take out (Flink: ``EvictingWindowOperator``).

The contents are pairs of an element and its timestamp. Folding waits until the window fires, because only then is it
known which elements are left.
"""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any

from wiesel.core.evictors import Evictor, TimestampedValue
from wiesel.runtime.operators.window_folding import Folding
from wiesel.runtime.operators.window_functions import Evaluate

if TYPE_CHECKING:
    from wiesel.core.metrics import MetricGroup
    from wiesel.runtime.operators.base import Operator


class EvictorContext(Evictor.EvictorContext):
    """Time and metrics for the evictor."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def get_current_processing_time(self) -> int:
        """Return the wall clock."""
        return self._operator.context.clock.now_ms()

    def get_metric_group(self) -> MetricGroup:
        """Return the operator's metric group."""
        return self._operator.context.runtime_context.get_metrics_group()

    def get_current_watermark(self) -> int:
        """Return the operator's event time."""
        return self._operator.current_watermark


def evicting(evaluate: Evaluate, evictor: Evictor[Any, Any], folding: Folding, operator: Operator) -> Evaluate:
    """Return what evicts, folds what is left, evaluates it, evicts again, and leaves the rest in the contents.

    Args:
        evaluate: evaluates folded contents.
        evictor: takes elements out.
        folding: what the program asks for.
        operator: knows the time.
    """
    context = EvictorContext(operator)

    def evaluate_rest(window: Any, contents: list[tuple[Any, int]], timestamp: int) -> None:
        elements = [TimestampedValue(*pair) for pair in contents]
        evictor.evict_before(elements, len(elements), window, context)
        values = [element.value for element in elements]
        if folding.keeps_elements:
            evaluate(window, values, timestamp)
        elif values:  # nothing has no sum
            evaluate(window, reduce(folding.add, values[1:], folding.first(values[0])), timestamp)
        evictor.evict_after(elements, len(elements), window, context)
        contents[:] = [tuple(element) for element in elements]

    return evaluate_rest
