"""Encrypting and masking: what comes back, what does not, and that keys stay where they belong."""

import base64
import hmac
import pickle
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from wiesel.core.errors import ConfigurationError, RecordError, TypeMismatchError
from wiesel.core.row import Row, RowKind
from wiesel.core.serialization import SimpleStringSchema
from wiesel.core.shipping import ship
from wiesel.core.types import Types
from wiesel.datastream import StreamExecutionEnvironment
from wiesel.datastream.formats.encryption import (
    DecryptFunction,
    DecryptingSchema,
    EncryptFunction,
    EncryptingSchema,
    KeyRing,
    Masker,
    MaskFields,
    PayloadCipher,
    generate_key,
)

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))


def line(name: str, key: bytes) -> str:
    return f"{name} {base64.b64encode(key).decode()}\n"


@pytest.fixture
def ring(tmp_path: Path) -> Callable[..., KeyRing]:
    def write(text: str, name: str = "keys") -> KeyRing:
        (tmp_path / name).write_text(text)
        return KeyRing.from_file(tmp_path / name)

    return write


Ring = Callable[..., KeyRing]


# ---------------------------------------------------------------------------------------------------- encryption


def test_what_is_encrypted_comes_back_and_no_two_results_are_equal(ring: Ring) -> None:
    cipher = PayloadCipher(ring(line("k1", KEY)), "orders")
    first, second = cipher.encrypt(b"payload"), cipher.encrypt(b"payload")
    assert first != second
    assert b"payload" not in first
    assert len(first) == 2 + 2 + 12 + len(b"payload") + 16
    assert [cipher.decrypt(first), cipher.decrypt(second), cipher.decrypt(cipher.encrypt(b""))] == [b"payload"] * 2 + [
        b""
    ]


def test_the_bytes_are_plain_aes_gcm_behind_version_and_key_id(ring: Ring) -> None:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    made = PayloadCipher(ring(line("k1", KEY)), "orders").encrypt(b"payload")
    assert made[:4] == b"\x01\x02k1"
    assert AESGCM(KEY).decrypt(made[4:16], made[16:], b"\x01\x02k1orders") == b"payload"


def test_one_changed_bit_anywhere_a_cut_or_another_context_is_found(ring: Ring) -> None:
    keys = ring(line("k1", KEY) + line("k3", KEY))
    made = PayloadCipher(keys, "orders").encrypt(b"payload")
    for position in range(len(made)):
        changed = bytearray(made)
        changed[position] ^= 2  # k1 becomes k3, which is the same key: the id is authenticated as well
        with pytest.raises(RecordError):
            PayloadCipher(keys, "orders").decrypt(bytes(changed))
    for other in (made[:-1], made[:20], made[:1], b"", b"plain text"):
        with pytest.raises(RecordError):
            PayloadCipher(keys, "orders").decrypt(other)
    with pytest.raises(RecordError, match="belongs to another context"):
        PayloadCipher(keys, "customers").decrypt(made)


def test_keys_are_rotated_by_a_new_first_key_and_a_file_is_read_again_for_an_unknown_one(ring: Ring) -> None:
    keys = ring(line("old", KEY))
    reader = PayloadCipher(keys)
    of_old = reader.encrypt(b"1")
    assert reader.decrypt(of_old) == b"1"
    of_new = PayloadCipher(ring(line("new", OTHER) + line("old", KEY))).encrypt(b"2")
    assert of_new[2:5] == b"new"
    assert [reader.decrypt(of_new), reader.decrypt(of_old)] == [b"2", b"1"]
    with pytest.raises(RecordError, match=r"encrypted by key 'new', which KeyRing\('file:.*'\) has not"):
        PayloadCipher(ring(line("old", KEY))).decrypt(of_new)


def test_schemas_encrypt_and_decrypt_around_another_schema(ring: Ring) -> None:
    keys = ring(line("k1", KEY))
    write, read = EncryptingSchema(SimpleStringSchema(), keys, "t"), DecryptingSchema(SimpleStringSchema(), keys, "t")
    write.open()
    read.open()
    made = write.serialize("Grüße")
    assert made is not None
    assert "Grüße".encode() not in made
    assert read.deserialize(made) == "Grüße"
    assert read.produced_type() == Types.STRING()
    with pytest.raises(RecordError, match="no encrypted payload"):
        read.deserialize(b"in the clear")


# ------------------------------------------------------------------------------------------------------- masking


def test_equal_values_have_equal_tokens_that_only_the_key_makes(ring: Ring) -> None:
    masker, again = (Masker(ring(line("m1", KEY))) for _ in range(2))
    other = Masker(ring(line("m1", OTHER), "other"))
    token = masker.mask("4111 1111")
    assert token is not None
    assert token == again.mask("4111 1111") != other.mask("4111 1111")
    assert token.startswith("m1.")
    assert len(token) == len("m1.") + 20
    assert len({masker.mask(str(i)) for i in range(10_000)}) == 10_000
    assert (masker.mask(5), masker.mask(b"5"), masker.mask(None)) == (masker.mask("5"), masker.mask("5"), None)
    assert Masker(ring(line("m1", KEY)), "card").mask("4111 1111") != token


def test_a_token_is_an_hmac_under_a_key_of_its_own(ring: Ring) -> None:
    own = hmac.digest(KEY, b"wiesel.mask.1", "sha256")
    mac = hmac.digest(own, b"card\0" + b"4111", "sha256")
    assert Masker(ring(line("m1", KEY)), "card").mask("4111") == "m1." + base64.urlsafe_b64encode(mac[:15]).decode()


@pytest.mark.parametrize("value", [1.0, True, [1]])
def test_values_whose_text_may_vary_are_not_masked(ring: Ring, value: Any) -> None:
    with pytest.raises(TypeMismatchError, match="Only str, bytes and int"):
        Masker(ring(line("m1", KEY))).mask(value)


def test_fields_of_dicts_and_rows_are_masked_in_a_copy(ring: Ring) -> None:
    keys = ring(line("m1", KEY))
    token = Masker(keys).mask("a@b.c")
    mask = MaskFields(keys, "card", "customer.email").map
    record = {"card": "a@b.c", "amount": 5, "customer": {"email": "a@b.c", "name": "A"}}
    assert mask(record) == {"card": token, "amount": 5, "customer": {"email": token, "name": "A"}}
    assert record["card"] == "a@b.c"
    row = Row.of_kind(RowKind.DELETE, card="a@b.c", customer=Row(email=None, name="A"))
    masked = mask(row)
    assert masked == Row.of_kind(RowKind.DELETE, card=token, customer=Row(email=None, name="A"))
    assert row.card == "a@b.c"
    assert mask({"card": None, "customer": None}) == {"card": None, "customer": None}


@pytest.mark.parametrize("record", [{"crad": "1"}, Row(a=1), Row("x"), "text", None])
def test_a_record_without_the_field_is_refused_because_nothing_may_slip_through(ring: Ring, record: Any) -> None:
    with pytest.raises(TypeMismatchError, match="no field 'card' to mask"):
        MaskFields(ring(line("m1", KEY)), "card").map(record)


# ---------------------------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    "make",
    [
        lambda keys: keys,
        PayloadCipher,
        Masker,
        lambda keys: EncryptingSchema(SimpleStringSchema(), keys),
        lambda keys: DecryptingSchema(SimpleStringSchema(), keys),
        lambda keys: MaskFields(keys, "a"),
        EncryptFunction,
        DecryptFunction,
    ],
)
def test_a_key_that_was_used_is_in_no_pickle_no_text_and_no_shipped_function(
    ring: Ring, make: Callable[[KeyRing], Any]
) -> None:
    keys = ring(line("k1", KEY))
    thing = make(keys)
    keys.primary()
    for use, value in (("encrypt", b"x"), ("mask", "x"), ("serialize", "x"), ("map", {"a": "x"}), ("map", b"x")):
        with suppress(TypeMismatchError, RecordError, TypeError, AttributeError):
            getattr(thing, use)(value)
    derived = hmac.digest(KEY, b"wiesel.mask.1", "sha256")
    for shown in (pickle.dumps(thing), ship(thing).payload, repr(thing).encode(), str(vars(thing)).encode()):
        if shown == str(vars(thing)).encode() and thing is keys:
            continue  # the ring's own dictionary is where the keys are
        for secret in (KEY, derived, base64.b64encode(KEY), repr(KEY)[2:-1].encode()):
            assert secret not in shown
    assert repr(pickle.loads(pickle.dumps(keys))) == repr(keys)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no keys"),
        ("# only a comment\n", "holds no keys"),
        ("k1 c2VjcmV0c2VjcmV0", "key 1 of .* has 12 bytes; 16, 24 or 32"),
        ("k1 ***secret***", "key 1 of .* is no base64"),
        ("secretsecret", "not of the form: id"),
        ("a b c", "not of the form: id"),
        (line("k1", KEY) + "\n" + line("k1", OTHER), "key 3 of .* an id that another key has"),
    ],
)
def test_a_wrong_key_ring_is_named_without_its_content(ring: Ring, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        ring(text).primary()
    shown = "".join(traceback.format_exception(raised.value))
    assert "secret" not in shown
    assert "c2VjcmV0" not in shown


def test_keys_come_out_of_the_environment_or_a_file_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYS", f"{line('a', KEY).strip()}, b {generate_key()}")
    keys = KeyRing.from_environment("KEYS")
    assert keys.primary() == ("a", KEY)
    assert len(keys.key("b") or b"") == 32
    assert keys.key("c") is None
    with pytest.raises(ConfigurationError, match="environment variable MISSING, which should hold keys, is not set"):
        KeyRing.from_environment("MISSING").primary()
    with pytest.raises(ConfigurationError, match="key file /no/such/file cannot be read: FileNotFoundError"):
        KeyRing.from_file("/no/such/file").primary()
    with pytest.raises(ConfigurationError, match="Keys themselves do not belong into a program") as raised:
        KeyRing(generate_key())
    assert "=" not in str(raised.value)


def test_map_functions_encrypt_mask_and_decrypt_in_a_job(ring: Ring) -> None:
    keys = ring(line("k1", KEY))
    env = StreamExecutionEnvironment.get_execution_environment()
    stream = env.from_collection([b"one", b"two"])
    encrypted = stream.map(EncryptFunction(keys, "job"), EncryptFunction.OUTPUT_TYPE)
    assert list(encrypted.map(DecryptFunction(keys, "job")).execute_and_collect()) == [b"one", b"two"]
