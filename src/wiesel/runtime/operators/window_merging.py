"""Windows that merge, such as sessions (Flink: ``MergingWindowSet`` and the merging part of ``WindowOperator``).

A key's windows in flight are remembered with the namespace that holds their contents. When windows merge, the contents
stay where those of the earliest one are, and only the others' are moved there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from wiesel.core.contracts import InternalState
from wiesel.core.errors import ConfigurationError
from wiesel.core.window_assigners import MergingWindowAssigner
from wiesel.core.windows import TimeWindow, namespace_to_window, window_to_namespace
from wiesel.runtime.operators.window_general import GeneralWindows, WindowParts

#: Namespace of a key's set of windows.
OF_KEY = None

#: ``(merged window, windows that became it, namespace of its contents, namespaces of contents to move there)``.
OnMerge = Callable[[Any, Sequence[Any], Any, Sequence[Any]], None]


class _MergeResults(MergingWindowAssigner.MergeCallback[Any]):
    """Collects what the assigner merges."""

    def __init__(self) -> None:
        self.results: list[tuple[Any, list[Any]]] = []

    def merge(self, to_be_merged: Iterable[Any], merge_result: Any) -> None:
        """Remember one merge."""
        self.results.append((merge_result, list(to_be_merged)))


class MergingWindowSet:
    """The windows in flight of the current key, by window the namespace of their contents."""

    def __init__(self, assigner: MergingWindowAssigner[Any, Any], state: InternalState) -> None:
        self._assigner = assigner
        self._state = state
        stored: dict[Any, Any] = state.get(OF_KEY) or {}
        self._stored = stored
        self._mapping = {namespace_to_window(window): namespace for window, namespace in stored.items()}

    def __iter__(self) -> Iterator[Any]:
        return iter(self._mapping)

    def state_namespace(self, window: Any) -> Any:
        """Return the namespace of the contents of ``window``, None when it is not in flight."""
        return self._mapping.get(window)

    def retire(self, window: Any) -> None:
        """Forget a window."""
        if self._mapping.pop(window, None) is None:
            raise RuntimeError(f"Window {window} is not in in-flight window set.")

    def add(self, new_window: Any, on_merge: OnMerge) -> Any:
        """Add a window and return the one that it now is part of, perhaps itself."""
        callback = _MergeResults()
        self._assigner.merge_windows([*self._mapping, new_window], callback)
        result = new_window
        merged_new = False
        for merged, parts in callback.results:
            if new_window in parts:
                merged_new = True
                parts.remove(new_window)
                result = merged
            self._merge(merged, parts, on_merge)
        if result == new_window and not merged_new:
            # It may be in flight already, grown to just this size by merging: then its contents lie elsewhere. (Flink
            # forgets them here.)
            self._mapping.setdefault(new_window, window_to_namespace(new_window))
        return result

    def _merge(self, merged: Any, parts: list[Any], on_merge: OnMerge) -> None:
        in_flight = [part for part in self._mapping if part in parts]
        if not in_flight:  # the assigner merged the new window with itself alone
            self._mapping[merged] = window_to_namespace(merged)
            return
        namespaces = [self._mapping.pop(part) for part in in_flight]
        # The longest in flight keeps its place, so that elements stay in the order in which they came where they can.
        self._mapping[merged] = namespaces[0]
        # A window that swallows the new one without growing has nothing to merge.
        if in_flight != [merged]:
            on_merge(merged, in_flight, namespaces[0], namespaces[1:])

    def persist(self) -> None:
        """Write the set back if it changed."""
        stored = {window_to_namespace(window): namespace for window, namespace in self._mapping.items()}
        if stored == self._stored:
            return
        if stored:
            self._state.put(OF_KEY, stored)
        else:
            self._state.remove(OF_KEY)


class MergingWindows(GeneralWindows):
    """``GeneralWindows`` over a key's set of merging windows.

    Args:
        parts: what windows are made of.
        windows_in_flight: holds a key's set.
    """

    def __init__(self, parts: WindowParts, windows_in_flight: InternalState) -> None:
        super().__init__(parts)
        self._merging_assigner = cast(MergingWindowAssigner[Any, Any], parts.assigner)
        self._windows_in_flight = windows_in_flight
        self._merge_contents = parts.folding.merge
        self._set: MergingWindowSet

    def process(self, value: Any, timestamp: int) -> None:
        """Add an element to the windows that its own become part of."""
        taken = False
        windows = self._set = MergingWindowSet(self._merging_assigner, self._windows_in_flight)
        for new_window in self._assigner.assign_windows(value, timestamp, self._assigner_context):
            window = windows.add(new_window, self._on_merge)
            if self._is_late(window):
                windows.retire(window)
            else:
                taken = True
                self._take(value, timestamp, window, window_to_namespace(window), windows.state_namespace(window))
        windows.persist()
        if not taken:
            self._skip(value, timestamp)

    def _on_merge(self, merged: Any, parts: Sequence[Any], target: Any, sources: Sequence[Any]) -> None:
        self._check_merge(merged)
        context = self._trigger_context
        context.namespace = window_to_namespace(merged)
        context.merged_windows = parts
        self._trigger.on_merge(merged, context)
        for part in parts:
            context.namespace = namespace = window_to_namespace(part)
            self._trigger.clear(part, context)
            cleanup_time = self._cleanup_time(part)
            if self._by_event_time:
                self._timers.delete_event_time(namespace, cleanup_time)
            else:
                self._timers.delete_processing_time(namespace, cleanup_time)
        self._move_contents(target, sources)

    def _move_contents(self, target: Any, sources: Sequence[Any]) -> None:
        contents = self._contents.get(target)
        for source in sources:
            more = self._contents.get(source)
            if more is not None:
                self._contents.remove(source)
                contents = more if contents is None else self._merge_contents(contents, more)
        if contents is not None and sources:
            self._contents.put(target, contents)

    def _check_merge(self, merged: Any) -> None:
        # Can only happen with assigners whose windows do not grow by merging.
        if self._by_event_time and self._is_late(merged):
            raise ConfigurationError(
                f"The end timestamp of an event-time window cannot become earlier than the current watermark by "
                f"merging. Current watermark: {self._operator.current_watermark} window: {merged}"
            )
        now = self._assigner_context.get_current_processing_time()
        if not self._by_event_time and merged.max_timestamp() <= now:
            raise ConfigurationError(
                f"The end timestamp of a processing-time window cannot become earlier than the current processing "
                f"time by merging. Current processing time: {now} window: {merged}"
            )

    def _state_namespace(self, window: Any) -> Any:
        # A timer of a window that was merged away finds None: its trigger did not delete it.
        self._set = MergingWindowSet(self._merging_assigner, self._windows_in_flight)
        return self._set.state_namespace(window)

    def _on_outgrown(self, namespace: Any) -> None:
        # A program with the default trigger leaves a session that grows the timer of its first window. If this is its
        # state, the session gets the timers that it would have had here; if not, it has them already.
        gone = namespace_to_window(namespace)
        for window in self._set:
            if type(window) is type(gone) is TimeWindow and window.start <= gone.start and gone.end <= window.end:
                span = window_to_namespace(window)
                self._clean_up_at(span, window.max_timestamp())
                self._clean_up_at(span, self._cleanup_time(window))

    def _drop(self, window: Any, namespace: Any, state_namespace: Any) -> None:
        super()._drop(window, namespace, state_namespace)
        self._set.retire(window)
        self._set.persist()
