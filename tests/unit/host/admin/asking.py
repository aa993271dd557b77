"""Requests made from the OpenAPI document: each operation with the examples that it gives itself."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import quote

API_PREFIX = "/api/v1"


class Ask(NamedTuple):
    """One operation, ready to be asked; `template` is its path as the document has it."""

    method: str
    template: str
    path: str
    query: dict[str, str]
    body: Any


def all_asks(document: dict[str, Any]) -> list[Ask]:
    """Every operation below the API's prefix."""
    return [
        _ask(document, method.upper(), template, operation)
        for template, operations in document["paths"].items()
        if template.startswith(API_PREFIX)
        for method, operation in operations.items()
    ]


def example_of(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """The example that a schema gives, made of its parts' where it has none; KeyError where a part has none either."""
    schema = _resolved(document, schema)
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return example_of(document, schema[choice][0])
    if schema.get("type") == "object":
        return {
            name: example_of(document, part)
            for name, part in schema.get("properties", {}).items()
            if name in schema.get("required", ())
        }
    if schema.get("type") == "array":
        return [example_of(document, schema["items"])]
    if schema.get("type") == "boolean":
        return False
    if schema.get("type") == "null":
        return None
    raise KeyError(f"no example: {schema}")


def _ask(document: dict[str, Any], method: str, template: str, operation: dict[str, Any]) -> Ask:
    path, query = template, {}
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            value = example_of(document, parameter["schema"])
            path = path.replace("{" + parameter["name"] + "}", quote(str(value), safe=""))
        elif parameter.get("required"):
            query[parameter["name"]] = str(example_of(document, parameter["schema"]))
    content = operation.get("requestBody", {}).get("content", {})
    body = next((example_of(document, told["schema"]) for told in content.values()), None)
    return Ask(method, template, path, query, body)


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema
