"""Records of the progress topic: their bytes, what is refused, and what the newest of them say."""

from __future__ import annotations

import json

import pytest

from wiesel.connectors.kafka.progress import Claim, Echo, Marker, Progress, ProgressRecordError, decode, encode

CLAIM = Claim("orders-sink-0", "5f1c", 3)
MARKER = Marker("orders-sink-0", "lineage-1", 4, checkpoint_id=7, count=10, crc=0xDEADBEEF)
ECHO = Echo("orders", "nonce-1")


@pytest.mark.parametrize("record", [CLAIM, MARKER, ECHO, Claim("tid-ü \" 'x'", "s", 1)])
def test_a_record_survives_its_bytes(record):
    assert decode(*encode(record)) == record


def test_a_record_reads_as_plain_json():
    key, value = encode(MARKER)
    assert json.loads(key) == {"type": "marker", "tid": "orders-sink-0", "lineage": "lineage-1"}
    assert json.loads(value) == {"version": 1, "seq": 4, "checkpoint_id": 7, "count": 10, "crc": 0xDEADBEEF}
    assert json.loads(encode(CLAIM)[0]) == {"type": "claim", "tid": "orders-sink-0"}
    assert json.loads(encode(ECHO)[0]) == {"type": "echo", "job": "orders"}


def test_key_bytes_depend_on_the_identity_only_because_compaction_compares_them():
    assert encode(CLAIM)[0] == encode(Claim(CLAIM.tid, "other store", 99))[0]
    assert encode(MARKER)[0] == encode(Marker(MARKER.tid, MARKER.lineage, 5, 8, 1, 2))[0]
    assert encode(ECHO)[0] == encode(Echo("orders", "nonce-2"))[0]
    keys = {encode(record)[0] for record in (CLAIM, MARKER, ECHO)}
    assert len(keys) == 3


def test_the_bytes_of_version_1_stay_as_they_are():
    assert encode(CLAIM) == (
        b'{"tid":"orders-sink-0","type":"claim"}',
        b'{"start":3,"store":"5f1c","version":1}',
    )


def test_a_tombstone_is_nothing():
    assert decode(encode(CLAIM)[0], None) is None
    assert decode(None, None) is None


def test_a_newer_version_is_refused_and_says_to_upgrade():
    key, value = encode(CLAIM)
    with pytest.raises(ProgressRecordError, match=r"version 2.*newer Wiesel"):
        decode(key, value.replace(b'"version":1', b'"version":2'))


def test_fields_that_a_later_version_adds_are_ignored():
    key, value = encode(CLAIM)
    assert decode(key, value.replace(b"}", b',"host":"h"}')) == CLAIM


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b'{"version":1}'),
        (b"order-17", b"{}"),
        (b'{"type":"claim","tid":"t"}', b"\xff\xfe"),
        (b'{"type":"claim","tid":"t"}', b"[1]"),
        (b'{"type":"claim","tid":"t"}', b'{"store":"s","start":1}'),
        (b'{"type":"claim","tid":"t"}', b'{"version":1,"store":"s"}'),
        (b'{"type":"claim","tid":"t"}', b'{"version":1,"store":"s","start":"1"}'),
        (b'{"type":"claim","tid":"t"}', b'{"version":1,"store":"s","start":true}'),
        (b'{"type":"claim"}', b'{"version":1,"store":"s","start":1}'),
        (b'{"type":"lease","tid":"t"}', b'{"version":1}'),
        (b'{"tid":"t"}', b'{"version":1,"store":"s","start":1}'),
    ],
)
def test_a_record_that_is_not_ours_is_refused_and_never_ignored(key, value):
    with pytest.raises(ProgressRecordError, match="not Wiesel's"):
        decode(key, value)


def test_progress_keeps_the_newest_claim_of_each_transactional_id():
    progress = Progress()
    for record in (CLAIM, Claim("orders-sink-1", "5f1c", 3), Claim(CLAIM.tid, "77aa", 1)):
        progress.observe(record)
    assert progress.claim(CLAIM.tid) == Claim(CLAIM.tid, "77aa", 1)
    assert progress.claim("orders-sink-1") == Claim("orders-sink-1", "5f1c", 3)
    assert progress.claim("orders-sink-2") is None


def test_progress_keeps_the_newest_marker_of_each_lineage():
    progress = Progress()
    for seq, lineage in ((3, "lineage-1"), (4, "lineage-1"), (1, "lineage-2")):
        progress.observe(Marker("tid", lineage, seq, 1, 1, 1))
    newest = progress.marker("tid", "lineage-1")
    assert newest is not None
    assert newest.seq == 4
    assert progress.marker("tid", "lineage-2") == Marker("tid", "lineage-2", 1, 1, 1, 1)
    assert progress.marker("tid", "lineage-3") is None


def test_newest_is_the_last_written_not_the_highest():
    progress = Progress()
    progress.observe(Marker("tid", "lineage-1", 4, 1, 1, 1))
    progress.observe(Marker("tid", "lineage-1", 3, 1, 1, 1))
    assert progress.marker("tid", "lineage-1") == Marker("tid", "lineage-1", 3, 1, 1, 1)


def test_tombstones_and_echoes_change_no_progress():
    progress = Progress()
    for record in (CLAIM, None, ECHO):
        progress.observe(record)
    assert progress.claim(CLAIM.tid) == CLAIM
