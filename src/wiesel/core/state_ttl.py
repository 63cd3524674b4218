"""How long keyed state lives and how what has expired is removed (Flink: "State Time-To-Live", ``StateTtlConfig``)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar

from wiesel.core.time import Duration, Time, to_millis

__all__ = ["StateTtlConfig"]


class UpdateType(Enum):
    """When an entry's life begins anew."""

    Disabled = 0
    OnCreateAndWrite = 1
    OnReadAndWrite = 2


class StateVisibility(Enum):
    """Whether an expired value that is still stored may be seen."""

    ReturnExpiredIfNotCleanedUp = 0
    NeverReturnExpired = 1


class TtlTimeCharacteristic(Enum):
    """By which clock state ages."""

    ProcessingTime = 0


class TtlStrategies(Enum):
    """Places where expired entries can be found and removed."""

    FULL_STATE_SCAN_SNAPSHOT = 0
    INCREMENTAL_CLEANUP = 1
    ROCKSDB_COMPACTION_FILTER = 2


class TtlCleanupStrategy:
    """Base of the parameters of one strategy."""


class TtlEmptyCleanupStrategy(TtlCleanupStrategy):
    """A strategy without parameters."""


class TtlIncrementalCleanupStrategy(TtlCleanupStrategy):
    """Look at a few entries with each access.

    Args:
        cleanup_size: entries looked at each time.
        run_cleanup_for_every_record: also do so for records that do not touch the state.
    """

    def __init__(self, cleanup_size: int, run_cleanup_for_every_record: bool) -> None:
        self._cleanup_size = cleanup_size
        self._run_cleanup_for_every_record = run_cleanup_for_every_record

    def get_cleanup_size(self) -> int:
        """Return how many entries are looked at each time."""
        return self._cleanup_size

    def run_cleanup_for_every_record(self) -> bool:
        """Whether records that do not touch the state clean up as well."""
        return self._run_cleanup_for_every_record


class TtlRocksdbCompactFilterCleanupStrategy(TtlCleanupStrategy):
    """Drop expired entries while RocksDB compacts.

    Args:
        query_time_after_num_entries: entries between two looks at the clock.
        periodic_compaction_time: age at which a file is compacted in any case; 30 days when None.
    """

    def __init__(self, query_time_after_num_entries: int, periodic_compaction_time: Duration | None = None) -> None:
        self._query_time_after_num_entries = query_time_after_num_entries
        self._periodic_compaction_time = periodic_compaction_time or Duration.of_days(30)

    def get_query_time_after_num_entries(self) -> int:
        """Return the number of entries between two looks at the clock."""
        return self._query_time_after_num_entries

    def get_periodic_compaction_time(self) -> Duration:
        """Return the age at which a file is compacted in any case."""
        return self._periodic_compaction_time


class TtlCleanupStrategies:
    """Which strategies are on (Flink: ``StateTtlConfig.CleanupStrategies``)."""

    Strategies = TtlStrategies
    CleanupStrategy = TtlCleanupStrategy
    EmptyCleanupStrategy = TtlEmptyCleanupStrategy
    IncrementalCleanupStrategy = TtlIncrementalCleanupStrategy
    RocksdbCompactFilterCleanupStrategy = TtlRocksdbCompactFilterCleanupStrategy
    EMPTY_STRATEGY: ClassVar = TtlEmptyCleanupStrategy()

    def __init__(self, strategies: Mapping[TtlStrategies, TtlCleanupStrategy], is_cleanup_in_background: bool) -> None:
        self._strategies = dict(strategies)
        self._is_cleanup_in_background = is_cleanup_in_background

    def is_cleanup_in_background(self) -> bool:
        """Whether the backend cleans up by its default strategy when none was chosen."""
        return self._is_cleanup_in_background

    def in_full_snapshot(self) -> bool:
        """Whether expired entries are left out of snapshots."""
        return TtlStrategies.FULL_STATE_SCAN_SNAPSHOT in self._strategies

    def get_incremental_cleanup_strategy(self) -> TtlIncrementalCleanupStrategy | None:
        """Return the incremental strategy, Flink's default (5 entries) if background cleanup is on, or None."""
        chosen = self._strategies.get(TtlStrategies.INCREMENTAL_CLEANUP)
        if isinstance(chosen, TtlIncrementalCleanupStrategy):
            return chosen
        return TtlIncrementalCleanupStrategy(5, False) if self._is_cleanup_in_background else None

    def get_rocksdb_compact_filter_cleanup_strategy(self) -> TtlRocksdbCompactFilterCleanupStrategy | None:
        """Return the RocksDB strategy, Flink's default (1000 entries) if background cleanup is on, or None."""
        chosen = self._strategies.get(TtlStrategies.ROCKSDB_COMPACTION_FILTER)
        if isinstance(chosen, TtlRocksdbCompactFilterCleanupStrategy):
            return chosen
        return TtlRocksdbCompactFilterCleanupStrategy(1000) if self._is_cleanup_in_background else None


# StateTtlConfig shows these classes under their own names, which hide them inside of it.
_Update = UpdateType
_Visibility = StateVisibility
_Clock = TtlTimeCharacteristic


class StateTtlConfig:
    """How long the entries of a state live; give it to ``StateDescriptor.enable_time_to_live``."""

    UpdateType = _Update
    StateVisibility = _Visibility
    TtlTimeCharacteristic = _Clock
    CleanupStrategies = TtlCleanupStrategies

    def __init__(
        self,
        update_type: _Update,
        state_visibility: _Visibility,
        ttl_time_characteristic: _Clock,
        ttl: Time | Duration,
        cleanup_strategies: TtlCleanupStrategies,
    ) -> None:
        if update_type is not UpdateType.Disabled and to_millis(ttl) <= 0:
            raise ValueError(f"TTL is expected to be positive, got {ttl}.")
        self._update_type = update_type
        self._state_visibility = state_visibility
        self._ttl_time_characteristic = ttl_time_characteristic
        self._ttl = ttl
        self._cleanup_strategies = cleanup_strategies

    @staticmethod
    def new_builder(ttl: Time | Duration) -> StateTtlConfig.Builder:
        """Return a builder for entries that live for ``ttl`` after they were last touched."""
        return StateTtlConfig.Builder(ttl)

    def get_update_type(self) -> _Update:
        """Return when an entry's life begins anew."""
        return self._update_type

    def get_state_visibility(self) -> _Visibility:
        """Return whether an expired value that is still stored may be seen."""
        return self._state_visibility

    def get_ttl(self) -> Time | Duration:
        """Return how long an entry lives."""
        return self._ttl

    def get_ttl_time_characteristic(self) -> _Clock:
        """Return by which clock state ages."""
        return self._ttl_time_characteristic

    def is_enabled(self) -> bool:
        """Whether entries expire at all."""
        return self._update_type is not UpdateType.Disabled

    def get_cleanup_strategies(self) -> TtlCleanupStrategies:
        """Return how expired entries are removed."""
        return self._cleanup_strategies

    def __repr__(self) -> str:
        return (
            f"StateTtlConfig<update_type={self._update_type}, state_visibility={self._state_visibility},"
            f"ttl_time_characteristic ={self._ttl_time_characteristic},ttl={self._ttl}>"  # spaced as PyFlink does
        )

    class Builder:
        """Collects the settings; every setter returns the builder."""

        def __init__(self, ttl: Time | Duration) -> None:
            self._ttl = ttl
            self._update_type = UpdateType.OnCreateAndWrite
            self._state_visibility = StateVisibility.NeverReturnExpired
            self._ttl_time_characteristic = TtlTimeCharacteristic.ProcessingTime
            self._is_cleanup_in_background = True
            self._strategies: dict[TtlStrategies, TtlCleanupStrategy] = {}

        def set_update_type(self, update_type: _Update) -> StateTtlConfig.Builder:
            """Set when an entry's life begins anew."""
            self._update_type = update_type
            return self

        def update_ttl_on_create_and_write(self) -> StateTtlConfig.Builder:
            """Begin an entry's life anew when it is written (the default)."""
            return self.set_update_type(UpdateType.OnCreateAndWrite)

        def update_ttl_on_read_and_write(self) -> StateTtlConfig.Builder:
            """Begin an entry's life anew when it is read or written."""
            return self.set_update_type(UpdateType.OnReadAndWrite)

        def set_state_visibility(self, state_visibility: _Visibility) -> StateTtlConfig.Builder:
            """Set whether an expired value that is still stored may be seen."""
            self._state_visibility = state_visibility
            return self

        def return_expired_if_not_cleaned_up(self) -> StateTtlConfig.Builder:
            """Let an expired value be seen as long as it is stored."""
            return self.set_state_visibility(StateVisibility.ReturnExpiredIfNotCleanedUp)

        def never_return_expired(self) -> StateTtlConfig.Builder:
            """Hide an expired value even while it is stored (the default)."""
            return self.set_state_visibility(StateVisibility.NeverReturnExpired)

        def set_ttl_time_characteristic(self, ttl_time_characteristic: _Clock) -> StateTtlConfig.Builder:
            """Set by which clock state ages."""
            self._ttl_time_characteristic = ttl_time_characteristic
            return self

        def use_processing_time(self) -> StateTtlConfig.Builder:
            """Let state age by the wall clock (the default, and all there is)."""
            return self.set_ttl_time_characteristic(TtlTimeCharacteristic.ProcessingTime)

        def cleanup_full_snapshot(self) -> StateTtlConfig.Builder:
            """Leave expired entries out of snapshots."""
            self._strategies[TtlStrategies.FULL_STATE_SCAN_SNAPSHOT] = TtlCleanupStrategies.EMPTY_STRATEGY
            return self

        def cleanup_incrementally(
            self, cleanup_size: int, run_cleanup_for_every_record: bool
        ) -> StateTtlConfig.Builder:
            """Look at ``cleanup_size`` entries with each access, or with every record."""
            self._strategies[TtlStrategies.INCREMENTAL_CLEANUP] = TtlIncrementalCleanupStrategy(
                cleanup_size, run_cleanup_for_every_record
            )
            return self

        def cleanup_in_rocksdb_compact_filter(
            self, query_time_after_num_entries: int, periodic_compaction_time: Duration | None = None
        ) -> StateTtlConfig.Builder:
            """Drop expired entries while RocksDB compacts; the time is 30 days when None."""
            self._strategies[TtlStrategies.ROCKSDB_COMPACTION_FILTER] = TtlRocksdbCompactFilterCleanupStrategy(
                query_time_after_num_entries, periodic_compaction_time
            )
            return self

        def disable_cleanup_in_background(self) -> StateTtlConfig.Builder:
            """Switch off the default strategies; those chosen by name stay on."""
            self._is_cleanup_in_background = False
            return self

        def set_ttl(self, ttl: Time | Duration) -> StateTtlConfig.Builder:
            """Set how long an entry lives."""
            self._ttl = ttl
            return self

        def build(self) -> StateTtlConfig:
            """Return the configuration.

            Raises:
                ValueError: the time to live is not positive.
            """
            return StateTtlConfig(
                self._update_type,
                self._state_visibility,
                self._ttl_time_characteristic,
                self._ttl,
                TtlCleanupStrategies(self._strategies, self._is_cleanup_in_background),
            )
