from __future__ import annotations

import re

import pytest
import voluptuous as vol

from mynah import RouteSpec
from mynah_http.openapi import document
from mynah_http.routes import ROUTES


async def nothing(hub, request):
    return None


def references(value):
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


@pytest.fixture
def api():
    return document(ROUTES)


def operations(api):
    return [operation for path in api["paths"].values() for operation in path.values()]


async def test_the_document_is_served_to_anybody(start):
    server = await start(host="0.0.0.0")
    status, body = await server.call("GET", "/api/v1/openapi.json")
    assert (status, body["openapi"]) == (200, "3.1.0")
    assert body == document(ROUTES)


def test_the_document_has_its_required_parts(api):
    assert {"title", "version"} <= api["info"].keys()
    assert len(operations(api)) == len(ROUTES)
    for path, methods in api["paths"].items():
        assert path.startswith("/")
        assert methods.keys() <= {"get", "post", "put", "patch", "delete"}
    for operation in operations(api):
        assert operation["responses"]
        assert all(re.fullmatch(r"[1-5](\d\d|XX)|default", status) for status in operation["responses"])
        assert all("description" in answer or "$ref" in answer for answer in operation["responses"].values())


def test_operations_have_names_of_their_own(api):
    names = [operation["operationId"] for operation in operations(api)]
    assert len(set(names)) == len(names)


def test_every_parameter_of_a_path_is_declared(api):
    for path, methods in api["paths"].items():
        for operation in methods.values():
            declared = {item["name"] for item in operation.get("parameters", ()) if item["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path))
            assert all(item["required"] is True and item["schema"] for item in operation.get("parameters", ()))


def test_every_reference_leads_somewhere(api):
    for reference in references(api):
        place = api
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_bodies_are_described(api):
    schema = api["paths"]["/api/v1/sessions/{id}/text"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["text"]
    assert schema["properties"]["text"]["type"] == "string"
    assert schema["properties"]["text"]["description"] == "What to say."
    context = api["paths"]["/api/v1/sessions"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert context["properties"]["context"]["additionalProperties"] == {"type": "string"}


def test_open_routes_need_no_token_and_others_do(api):
    assert api["paths"]["/health"]["get"]["security"] == []
    assert api["paths"]["/api/v1/sessions"]["post"]["security"] == [{"bearer": []}]
    assert "role admin" in api["paths"]["/api/v1/sessions"]["post"]["description"]
    assert api["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}


def test_a_parameter_with_an_expression_loses_it():
    spec = RouteSpec(name="clip", method="GET", path=r"/clips/{name:[a-z]{2,9}\.wav}/{part:\d+}", handle=nothing)
    (path,) = document([spec])["paths"]
    assert path == "/clips/{name}/{part}"


def test_a_body_with_a_function_of_ones_own_is_described_loosely():
    def birds(value):
        raise vol.Invalid("no birds")

    spec = RouteSpec(
        name="birds",
        method="POST",
        path="/birds",
        handle=nothing,
        body={vol.Required("n"): vol.All(birds, vol.In([1, 2]))},
    )
    schema = document([spec])["paths"]["/birds"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["n"]["enum"] == [1, 2]


@pytest.mark.parametrize("body", [{"n": [int, str]}, {"n": vol.In(frozenset({object()}))}])
def test_a_body_that_cannot_be_described_does_not_take_the_document_away(body):
    spec = RouteSpec(name="odd", method="POST", path="/odd", handle=nothing, body=body)
    described = document([spec])["paths"]["/odd"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert described == {"type": "object"}
