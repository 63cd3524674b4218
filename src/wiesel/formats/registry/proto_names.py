"""The names of a Protobuf file's messages in their order, which is how records name the message that they hold.

A registry gives the file as it was registered: its text, or its descriptor in base64. Entries of maps, which are
messages to ``protoc`` only, do not count, as for Confluent's Java clients.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from wiesel.core.errors import RecordError
from wiesel.formats.extras import require

_TOKEN = re.compile(
    r"""
      //[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*'      # comments and texts hold no messages
    | \bpackage\s+(?P<package>[\w.]+)\s*;
    | \bmessage\s+(?P<message>\w+)\s*\{
    | \bgroup\s+(?P<group>\w+)\s*=\s*\d+[^{;]*\{
    | (?P<open>\{) | (?P<close>\})
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass
class Message:
    """A message, or as the outermost one the file.

    Args:
        name: full name.
        inner: the messages inside of it, in order.
    """

    name: str
    inner: list[Message] = field(default_factory=list)


def message_tree(schema: str) -> Message:
    """Return the messages of a file.

    Raises:
        RecordError: it is neither text nor a descriptor.
    """
    try:
        descriptor = base64.b64decode(schema, validate=True)
    except (ValueError, binascii.Error):
        return _of_text(schema)
    protobuf = require("google.protobuf.descriptor_pb2", "registry", "Protobuf by a schema registry")
    message = require("google.protobuf.message", "registry", "Protobuf by a schema registry")
    try:
        file = protobuf.FileDescriptorProto.FromString(descriptor)
    except message.DecodeError as error:
        raise RecordError(f"the registry's schema is no Protobuf file: {error}") from None
    return Message(file.package, _of_descriptors(file.package, file.message_type))


def name_at(tree: Message, path: Sequence[int]) -> str | None:
    """Return the full name of the message at a place, None when there is none."""
    for index in path:
        if not 0 <= index < len(tree.inner):
            return None
        tree = tree.inner[index]
    return tree.name


def message_path(tree: Message, name: str) -> tuple[int, ...] | None:
    """Return the place of a message, None when the file has none of this name."""
    for index, message in enumerate(tree.inner):
        if message.name == name:
            return (index,)
        if name.startswith(f"{message.name}."):
            inner = message_path(message, name)
            if inner is not None:
                return (index, *inner)
    return None


def _of_descriptors(prefix: str, messages: Any) -> list[Message]:
    found = []
    for one in messages:
        if not one.options.map_entry:
            name = f"{prefix}.{one.name}" if prefix else one.name
            found.append(Message(name, _of_descriptors(name, one.nested_type)))
    return found


def _of_text(schema: str) -> Message:
    root = Message("")
    #: Open braces; those of enums, services and options belong to no message.
    stack: list[Message | None] = [root]
    for token in _TOKEN.finditer(schema):
        if token["package"]:
            root.name = token["package"]
        elif name := token["message"] or token["group"]:
            outer = next(message for message in reversed(stack) if message is not None)
            message = Message(f"{outer.name}.{name}" if outer.name else name)
            outer.inner.append(message)
            stack.append(message)
        elif token["open"]:
            stack.append(None)
        elif token["close"]:
            if len(stack) == 1:
                raise RecordError("the registry's schema is no Protobuf file: a brace closes that none opened")
            stack.pop()
    return root
