"""The OpenAPI document says what the API does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.unit.host.admin.asking import example_of
from tests.unit.host.admin.small_office import actor_of, client_of, open_office

from pos_host.admin.api import make_app

_document: dict[str, Any] = {}
"""As the API gave it once: FastAPI takes a second to write it."""


async def document() -> dict[str, Any]:
    if _document:
        return _document
    async with client_of(make_app(await open_office(), actor_of, "0.1.0"), token=None) as api:
        await api.get("/openapi.json")
        answer = await api.get("/openapi.json")
    assert 200 == answer.status_code
    _document.update(answer.json())
    return _document


CONTRACT = {
    "/healthz": {"get"},
    "/readyz": {"get"},
    "/api/v1/terminals": {"get"},
    "/api/v1/terminals/{tid}": {"get"},
    "/api/v1/terminals/{tid}/batches": {"get"},
    "/api/v1/terminals/{tid}/settle": {"post"},
    "/api/v1/terminals/{tid}/reminders": {"post"},
    "/api/v1/terminals/{tid}/settlement-applications": {"get", "post"},
    "/api/v1/batches/{batch_id}": {"get"},
    "/api/v1/batches/{batch_id}/discrepancies": {"get"},
    "/api/v1/unsettled": {"get"},
    "/api/v1/authorisations": {"get"},
    "/api/v1/events": {"get"},
    "/api/v1/clock": {"get", "post"},
    "/api/v1/merchants": {"get", "post"},
    "/api/v1/merchants/{mid}": {"get", "patch"},
    "/api/v1/merchants/{mid}/terminals": {"get", "post"},
    "/api/v1/merchants/{mid}/settlement-account-changes": {"get", "post"},
    "/api/v1/merchants/{mid}/settlement-account-changes/blockers": {"get"},
    "/api/v1/policies/{scope}": {"get", "put"},
    "/api/v1/fee-schedules/{scope}": {"get", "put"},
    "/api/v1/users": {"get", "post"},
    "/api/v1/audit": {"get"},
}


async def test_every_path_is_there_under_the_name_of_the_contract() -> None:
    paths = {path: set(operations) for path, operations in (await document())["paths"].items()}

    assert {path: methods & paths.get(path, set()) for path, methods in CONTRACT.items()} == CONTRACT


async def test_every_operation_says_what_it_does_in_a_sentence() -> None:
    for path, operation in operations(await document()):
        assert operation["summary"], path
        assert operation["description"].strip().endswith("."), f"{path}: {operation['description']}"
        assert operation["tags"], path


async def test_every_body_parameter_and_answer_has_an_example() -> None:
    made = await document()
    for path, operation in operations(made):
        parameters = [parameter for parameter in operation.get("parameters", ()) if parameter.get("required")]
        schemas = [parameter["schema"] for parameter in parameters]
        answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        for content in (operation.get("requestBody", {}), *answers):
            schemas += [
                told["schema"] for kind, told in content.get("content", {}).items() if kind == "application/json"
            ]
        for schema in schemas:
            try:
                assert example_of(made, schema) is not ..., path
            except KeyError as error:
                raise AssertionError(f"{path}: {error}") from None


async def test_every_change_names_who_is_refused_and_what_cannot_be_done() -> None:
    for path, methods in (await document())["paths"].items():
        for method, operation in methods.items():
            if path.startswith("/api/") and method != "get":
                assert {"401", "403", "404", "409", "422"} <= operation["responses"].keys(), f"{method} {path}"


async def test_every_operation_names_its_answers_and_its_problems() -> None:
    for path, operation in operations(await document()):
        for status, answer in operation["responses"].items():
            if status != "200":
                assert ["application/problem+json"] == list(answer["content"]), path
            assert answer["content"], path
        assert {"200", "401", "500"} <= operation["responses"].keys(), path
        assert path.startswith("/api/") == ("security" in operation), path


async def test_every_reference_leads_somewhere_and_no_default_error_is_left() -> None:
    made = await document()
    schemas = made["components"]["schemas"]

    assert {reference.rpartition("/")[2] for reference in references(made)} <= schemas.keys()
    assert "HTTPValidationError" not in schemas
    assert schemas["Problem"]["examples"]


async def test_every_operation_is_in_the_reference_for_people() -> None:
    docs = Path(__file__).parents[4] / "docs"
    reference = "".join((docs / name).read_text("utf-8") for name in ("http.md", "http-operations.md"))

    for path, methods in (await document())["paths"].items():
        for method in methods:
            assert f"`{method.upper()} {path}`" in reference


def operations(made: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in made["paths"].items():
        for operation in methods.values():
            yield path, operation


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)
