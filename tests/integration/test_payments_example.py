"""``examples/payments.py``: whole records, masking, encryption and dead letters together, as a user runs them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.test_kafka_records import headers_of, messages, produce
from wiesel.broker.fixtures import TopicFactory
from wiesel.broker.local import LocalBroker
from wiesel.datastream.formats.encryption import KeyRing, PayloadCipher, generate_key

pytestmark = pytest.mark.integration

EXAMPLE = Path(__file__).parents[2] / "examples" / "payments.py"
WIESEL = Path(sys.executable).with_name("wiesel")


def test_cards_come_out_as_tokens_encrypted_and_what_is_no_payment_is_set_aside(
    kafka: LocalBroker, topic: TopicFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, written, dead = topic("payments"), topic("safe"), topic("dead")
    key = generate_key()
    monkeypatch.setenv("PAYMENT_KEYS", f"2026-11 {key}")
    cards = ["4111 1111", "5500 0000", "4111 1111"]
    payments = [json.dumps({"card": card, "amount": i, "name": "Ada"}).encode() for i, card in enumerate(cards)]
    for payment in payments:
        produce(kafka, read, (None, payment, [("tenant", b"t1")], 0, 0))
    produce(kafka, read, (b"k", b'{"amount": 1}', [("tenant", b"t2")], 0, 0))
    command = [str(WIESEL), "run", str(EXAMPLE), "--bootstrap", kafka.bootstrap_servers, "--bounded"]
    command += ["--input", read, "--output", written, "--dead", dead]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=110, check=False)
    assert run.returncode == 0, run.stderr

    found = messages(kafka, written)
    assert [headers_of(message) for message in found] == [[("tenant", b"t1")]] * 3
    tokens = [(message.key() or b"").decode() for message in found]
    assert tokens[0] == tokens[2] != tokens[1]
    cipher = PayloadCipher(KeyRing.from_environment("PAYMENT_KEYS"), written)
    plain = [json.loads(cipher.decrypt(message.value() or b"")) for message in found]
    assert [(payment["card"], payment["amount"]) for payment in plain] == [(t, i) for i, t in enumerate(tokens)]
    (letter,) = messages(kafka, dead)
    assert (letter.key(), letter.value()) == (b"k", b'{"amount": 1}')
    assert dict(headers_of(letter))["__connect.errors.exception.class.name"] == b"KeyError"

    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    said = (run.stdout + run.stderr).encode()
    for secret in (key.encode(), b"4111 1111"):
        assert secret not in kept + said, "neither logs nor checkpoints may hold a key or a plain card"
