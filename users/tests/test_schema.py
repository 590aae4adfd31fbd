from typing import Annotated, Any

import msgspec
import pytest
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.views import APIView

from users.api import urls, wire
from users.api.schema import operation


class Item(msgspec.Struct, kw_only=True):
    amount: wire.Amount


class Basket(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Some items."""

    items: list[Item]
    at: wire.Moment | None = None


class Filter(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    currency: Annotated[str, wire.spelt("[A-Z]{3}")]
    limit: int = 30


class BasketView(APIView):
    @operation(summary="Fill a basket", body=Basket, answers={201: Basket, 202: None}, query=Filter, idempotent=True)
    def post(self, request: Any) -> None: ...

    @operation(summary="Read baskets", answers={200: list[Basket]}, errors=(404,))
    def get(self, request: Any) -> None: ...


@pytest.fixture
def document():
    patterns = [path("api/v1/baskets", BasketView.as_view()), path("api/v1/", include(urls))]
    document = SchemaGenerator(patterns=patterns).get_schema(request=None, public=True)
    validate_schema(document)
    return document


def test_structs_become_named_components_with_all_that_they_refer_to(document):
    schemas = document["components"]["schemas"]
    assert schemas["Basket"]["properties"]["items"]["items"] == {"$ref": "#/components/schemas/Item"}
    assert schemas["Basket"]["additionalProperties"] is False
    assert schemas["Item"]["properties"]["amount"]["maximum"] == 10**15
    assert {"Problem", "Profile", "TokenPair", "Registration"} <= set(schemas)


def test_an_operation_is_described(document):
    post = document["paths"]["/api/v1/baskets"]["post"]
    assert post["summary"] == "Fill a basket"
    assert post["requestBody"]["required"] is True
    assert post["requestBody"]["content"] == {"application/json": {"schema": {"$ref": "#/components/schemas/Basket"}}}
    assert post["responses"]["201"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Basket"}
    assert "content" not in post["responses"]["202"]
    assert set(post["responses"]["422"]["content"]) == {"application/problem+json"}
    assert {name for scheme in post["security"] for name in scheme} == {"bearer", "signature"}


def test_parameters_are_described(document):
    parameters = {p["name"]: p for p in document["paths"]["/api/v1/baskets"]["post"]["parameters"]}
    assert {name: (p["in"], p.get("required", False)) for name, p in parameters.items()} == {
        "Idempotency-Key": ("header", False),
        "currency": ("query", True),
        "limit": ("query", False),
    }
    assert parameters["limit"]["schema"] == {"type": "integer", "default": 30}
    assert parameters["currency"]["schema"] == {"type": "string", "pattern": "^[A-Z]{3}$"}


def test_a_list_is_described_in_place(document):
    get = document["paths"]["/api/v1/baskets"]["get"]
    assert get["responses"]["200"]["content"]["application/json"]["schema"] == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Basket"},
    }
    assert set(get["responses"]) == {"200", "404"}
    assert "requestBody" not in get


def test_what_needs_no_token_says_so(document):
    assert "security" not in document["paths"]["/api/v1/auth/token"]["post"]
