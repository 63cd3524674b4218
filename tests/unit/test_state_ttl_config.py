"""The settings of state that expires."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from wiesel.common import Duration, Time
from wiesel.core.state_ttl import StateTtlConfig


def test_defaults_are_flinks():
    config = StateTtlConfig.new_builder(Time.seconds(1)).build()
    assert config.is_enabled()
    assert config.get_ttl() == Time.seconds(1)
    assert config.get_update_type() is StateTtlConfig.UpdateType.OnCreateAndWrite
    assert config.get_state_visibility() is StateTtlConfig.StateVisibility.NeverReturnExpired
    assert config.get_ttl_time_characteristic() is StateTtlConfig.TtlTimeCharacteristic.ProcessingTime
    strategies = config.get_cleanup_strategies()
    assert strategies.is_cleanup_in_background()
    assert not strategies.in_full_snapshot()
    incremental: Any = strategies.get_incremental_cleanup_strategy()
    assert (incremental.get_cleanup_size(), incremental.run_cleanup_for_every_record()) == (5, False)
    rocksdb: Any = strategies.get_rocksdb_compact_filter_cleanup_strategy()
    assert rocksdb.get_query_time_after_num_entries() == 1000


def test_every_setting_is_kept():
    config = (
        StateTtlConfig.new_builder(Time.seconds(1))
        .set_ttl(Duration.of_hours(2))
        .update_ttl_on_read_and_write()
        .return_expired_if_not_cleaned_up()
        .use_processing_time()
        .cleanup_full_snapshot()
        .cleanup_incrementally(7, True)
        .cleanup_in_rocksdb_compact_filter(9)
        .disable_cleanup_in_background()
        .build()
    )
    config = pickle.loads(pickle.dumps(config))
    assert config.get_ttl() == Duration.of_hours(2)
    assert config.get_update_type() is StateTtlConfig.UpdateType.OnReadAndWrite
    assert config.get_state_visibility() is StateTtlConfig.StateVisibility.ReturnExpiredIfNotCleanedUp
    strategies = config.get_cleanup_strategies()
    assert strategies.in_full_snapshot()
    assert not strategies.is_cleanup_in_background()
    assert strategies.get_incremental_cleanup_strategy().run_cleanup_for_every_record()
    rocksdb = strategies.get_rocksdb_compact_filter_cleanup_strategy()
    assert rocksdb.get_query_time_after_num_entries() == 9
    assert rocksdb.get_periodic_compaction_time() == Duration.of_days(30)


def test_without_background_cleanup_there_is_no_default_strategy():
    strategies = (
        StateTtlConfig.new_builder(Time.days(1)).disable_cleanup_in_background().build().get_cleanup_strategies()
    )
    assert strategies.get_incremental_cleanup_strategy() is None
    assert strategies.get_rocksdb_compact_filter_cleanup_strategy() is None


def test_disabled_config_does_not_expire():
    disabled = StateTtlConfig.UpdateType.Disabled
    assert not StateTtlConfig.new_builder(Time.days(1)).set_update_type(disabled).build().is_enabled()


def test_state_cannot_expire_at_once():
    with pytest.raises(ValueError, match="TTL is expected to be positive"):
        StateTtlConfig.new_builder(Time.seconds(0)).build()


def test_the_defaults_may_be_said_aloud():
    builder = StateTtlConfig.new_builder(Time.seconds(1)).update_ttl_on_read_and_write()
    builder = builder.return_expired_if_not_cleaned_up()
    config = builder.update_ttl_on_create_and_write().never_return_expired().build()
    assert config.get_update_type() is StateTtlConfig.UpdateType.OnCreateAndWrite
    assert config.get_state_visibility() is StateTtlConfig.StateVisibility.NeverReturnExpired


def test_settings_print_as_in_pyflink() -> None:
    told = "update_type=UpdateType.OnCreateAndWrite, state_visibility=StateVisibility.NeverReturnExpired,"
    told += "ttl_time_characteristic =TtlTimeCharacteristic.ProcessingTime,ttl=1000 ms"
    assert str(StateTtlConfig.new_builder(Time.seconds(1)).build()) == f"StateTtlConfig<{told}>"
