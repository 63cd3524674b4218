"""From a JSON schema to a row type (Flink: ``JsonRowSchemaConverter``; drafts up to 07).

Numbers and integers become BIG_DEC, arrays OBJECT_ARRAY, arrays of given items ROW, texts with a format dates and
times. Union types other than with null, and schemas that combine others, are refused as in Flink.
"""

from __future__ import annotations

from typing import Any

import msgspec

from wiesel.core.errors import ConfigurationError
from wiesel.core.types import TypeInformation, Types

_COMBINING = ("allOf", "anyOf", "not", "extends", "disallow")
_FORMATS = {"date": Types.SQL_DATE, "time": Types.SQL_TIME, "date-time": Types.SQL_TIMESTAMP}


def type_of_json_schema(json_schema: str) -> TypeInformation:
    """Return the type that a JSON schema describes.

    Raises:
        ConfigurationError: it is no JSON, or says something that has no type; the message names the place.
    """
    try:
        root = msgspec.json.decode(json_schema)
    except msgspec.DecodeError as error:
        raise ConfigurationError(f"Invalid JSON schema: {error}") from None
    found = _convert("<root>", root, root)
    if found is None:
        raise ConfigurationError("The JSON schema describes null only.")
    return found


def _convert(location: str, node: Any, root: Any) -> TypeInformation | None:
    """Return the type of a node, None for null."""
    if not isinstance(node, dict):
        raise ConfigurationError(f"{location} must be a JSON object, not {node!r}")
    if combining := [word for word in _COMBINING if word in node]:
        raise ConfigurationError(f"{location}: schemas with '{combining[0]}' are not supported; give one type.")
    found = _own_types(location, node, root)
    if not found:
        raise ConfigurationError(f"No type could be found in {location}.")
    types = [kind for kind in found if kind is not None]
    if any(kind != types[0] for kind in types[1:]):
        raise ConfigurationError(f"{location}: union types other than with null are not supported.")
    return types[0] if types else None


def _own_types(location: str, node: dict[str, Any], root: Any) -> list[TypeInformation | None]:
    reference = node.get("$ref")
    referred = _resolve(location, reference, node, root) if isinstance(reference, str) else None
    found: list[TypeInformation | None] = []
    if "type" in node:
        names = node["type"] if isinstance(node["type"], list) else [node["type"]]
        found += [_convert_type(location, name, node, root) for name in names]
    elif referred is not None and "type" in referred:
        found.append(_convert(str(reference), referred, root))
    for place, holder in ((location, node), (str(reference), referred)):
        if holder is not None and isinstance(holder.get("oneOf"), list):
            found += [_convert(f"{place}/oneOf[{i}]", item, root) for i, item in enumerate(holder["oneOf"])]
            break
    return found


def _convert_type(location: str, name: Any, node: dict[str, Any], root: Any) -> TypeInformation | None:
    match name:
        case "null":
            return None
        case "boolean":
            return Types.BOOLEAN()
        case "number" | "integer":
            return Types.BIG_DEC()
        case "string":
            return _convert_string(location, node)
        case "object":
            return _convert_object(location, node, root)
        case "array":
            return _convert_array(location, node, root)
    raise ConfigurationError(f"Unsupported type {name!r} in {location}.")


def _convert_string(location: str, node: dict[str, Any]) -> TypeInformation:
    if "format" in node:
        return _FORMATS.get(node["format"], Types.STRING)()
    if "contentEncoding" in node:
        if node["contentEncoding"] == "base64":
            return Types.PRIMITIVE_ARRAY(Types.BYTE())
        raise ConfigurationError(f"Invalid encoding {node['contentEncoding']!r} in {location}; base64 is known.")
    return Types.STRING()


def _convert_object(location: str, node: dict[str, Any], root: Any) -> TypeInformation:
    if node.get("additionalProperties") is True:
        raise ConfigurationError(f"An object must not allow additional properties in {location}.")
    properties = node.get("properties", {})
    if not isinstance(properties, dict):
        raise ConfigurationError(f"Invalid 'properties' in {location}.")
    types = [_convert_not_null(f"{location}/{name}", item, root) for name, item in properties.items()]
    return Types.ROW_NAMED(list(properties), types)


def _convert_array(location: str, node: dict[str, Any], root: Any) -> TypeInformation:
    items = node.get("items")
    if isinstance(items, dict):
        return Types.OBJECT_ARRAY(_convert_not_null(f"{location}/items", items, root))
    if not isinstance(items, list):
        raise ConfigurationError(f"Arrays must specify 'items' in {location}.")
    if node.get("additionalItems") is True:
        raise ConfigurationError(f"An array tuple must not allow additional items in {location}.")
    return Types.ROW([_convert_not_null(f"{location}/items[{i}]", item, root) for i, item in enumerate(items)])


def _convert_not_null(location: str, node: Any, root: Any) -> TypeInformation:
    found = _convert(location, node, root)
    if found is None:
        raise ConfigurationError(f"{location} is never anything but null; leave it out.")
    return found


def _resolve(location: str, reference: str, origin: dict[str, Any], root: Any) -> dict[str, Any]:
    """Return the node that ``#/definitions/name`` refers to; only one step within the document, as in Flink."""
    if not reference.startswith("#"):
        raise ConfigurationError(f"{location}: only references within the document are supported, not {reference!r}.")
    node = root
    for part in filter(None, reference[1:].split("/")):
        key = part.replace("~1", "/").replace("~0", "~")
        if not isinstance(node, dict) or key not in node:
            raise ConfigurationError(f"{location}: could not find reference {reference!r}.")
        node = node[key]
    if node is origin or node is root or not isinstance(node, dict):
        raise ConfigurationError(f"{location}: cyclic reference {reference!r}.")
    return node
