"""Bytes of keys and values as text and back: string, JSON, hex, base64; a record as a line of JSON and back. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Final

from wiesel.core.errors import RecordError

if TYPE_CHECKING:
    from wiesel.broker.produce import NewRecord
    from wiesel.broker.records import Record

#: What a key or a value can be told and given as.
FORMATS: Final = ("string", "json", "hex", "base64")


def to_bytes(text: str, form: str) -> bytes:
    """The bytes that ``text`` stands for.

    Raises:
        RecordError: it is not of this format.
    """
    try:
        if form == "hex":
            return bytes.fromhex(text)
        if form == "base64":
            return base64.b64decode(text, validate=True)
        if form == "json":
            json.loads(text)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise RecordError(f"{text[:60]!r} is not {form}: {error}") from error
    return text.encode(errors="surrogateescape")


def json_fields(name: str, content: bytes | None, form: str) -> dict[str, Any]:
    """``content`` under ``name`` as JSON; bytes that are no text of this format stand under ``name_base64``."""
    if content is None:
        return {name: None}
    try:
        if form == "hex":
            return {name: content.hex()}
        if form == "base64":
            return {name: base64.b64encode(content).decode()}
        return {name: json.loads(content) if form == "json" else content.decode()}
    except (ValueError, RecursionError):  # not UTF-8, or not JSON
        return {f"{name}_base64": base64.b64encode(content).decode()}


def record_to_json(record: Record, key_format: str, value_format: str) -> bytes:
    """A record as one line of JSON."""
    fields: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        **json_fields("key", record.key, key_format),
        **json_fields("value", record.value, value_format),
    }
    if record.headers:
        fields["headers"] = [{"name": name, **json_fields("value", value, "string")} for name, value in record.headers]
    return json.dumps(fields, ensure_ascii=False).encode()


def record_of_json(line: bytes, key_format: str, value_format: str) -> NewRecord:
    """The record that ``record_to_json`` wrote, without its place, which means nothing in another topic.

    Raises:
        RecordError: the line is no such object.
    """
    from wiesel.broker.produce import NewRecord

    try:
        fields = json.loads(line)
        headers = [(str(header["name"]), _content(header, "value", "string")) for header in fields.get("headers", ())]
        return NewRecord(
            _content(fields, "value", value_format),
            _content(fields, "key", key_format),
            headers,
            timestamp=int(fields.get("timestamp") or 0),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise RecordError(
            f"{line[:60]!r} is no record as `wiesel kafka consume` writes it: an object with value, and maybe key, "
            "headers and timestamp."
        ) from error


def _content(fields: dict[str, Any], name: str, form: str) -> bytes | None:
    if f"{name}_base64" in fields:
        return base64.b64decode(fields[f"{name}_base64"], validate=True)
    content = fields.get(name)
    if content is None:
        return None
    if form == "json" or not isinstance(content, str):
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return to_bytes(content, form)


def harmless(line: bytes) -> bytes:
    """``line`` without control characters: a record could hold sequences that take a terminal over."""
    text = line.decode(errors="backslashreplace")
    return "".join(
        one if one.isprintable() or one == "\t" else one.encode("unicode_escape").decode() for one in text
    ).encode()
