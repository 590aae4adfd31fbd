from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from django.http import QueryDict
from msgspec import Meta

from users.api import wire
from users.validation import ValidationError


class Transfer(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    source: UUID
    amount: wire.Amount
    description: wire.Text = ""
    metadata: wire.Metadata = {}

    def __post_init__(self) -> None:
        if self.description == "same":
            raise ValueError("Say something else.")


class Batch(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    transfers: Annotated[list[Transfer], Meta(min_length=1, max_length=3)]
    one: Transfer | None = None
    atomic: bool = False


class Page(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    limit: Annotated[int, Meta(ge=1, le=200)] = 30
    after: wire.Moment | None = None
    name: str | None = None


class FakeRequest:
    """The two things that wire reads of a request."""

    def __init__(self, data: Any = None, query: str = "") -> None:
        self.data, self.query_params = data, QueryDict(query)


SOURCE = "018f0000-0000-7000-8000-000000000000"
GOOD = {"source": SOURCE, "amount": 1170}


def refusals(read):
    """Field and code of everything that was wrong."""
    with pytest.raises(ValidationError) as refusal:
        read()
    assert refusal.value.data["errors"] == refusal.value.errors
    assert all(error["detail"] for error in refusal.value.errors)
    return {(error["field"], error["code"]) for error in refusal.value.errors}


@pytest.mark.parametrize("text", ["USD\n", "\nUSD", "USDX", " USD", "USD ", "usd", ""])
def test_what_is_spelt_is_spelt_from_its_first_to_its_last_letter(text):
    class Priced(msgspec.Struct):
        currency: Annotated[str, wire.spelt("[A-Z]{3}")]

    assert wire.convert({"currency": "USD"}, Priced) == Priced("USD")
    assert refusals(lambda: wire.convert({"currency": text}, Priced)) == {("currency", "invalid")}


def test_a_good_body_becomes_a_struct():
    read = wire.read(FakeRequest({"transfers": [GOOD], "one": None, "atomic": True}), Batch)
    assert read == Batch(transfers=[Transfer(source=UUID(SOURCE), amount=1170)], atomic=True)


BAD_FIELDS = [
    ({"amount": 0}, "amount", "out_of_range"),
    ({"amount": -1}, "amount", "out_of_range"),
    ({"amount": 10**15 + 1}, "amount", "out_of_range"),
    ({"amount": 2**63}, "amount", "out_of_range"),
    ({"amount": 2**64}, "amount", "out_of_range"),
    ({"amount": 10**39}, "amount", "out_of_range"),
    ({"amount": -(10**39)}, "amount", "out_of_range"),
    ({"amount": 10.0}, "amount", "invalid"),
    ({"amount": 10.5}, "amount", "invalid"),
    ({"amount": "10"}, "amount", "invalid"),
    ({"amount": "１０"}, "amount", "invalid"),
    ({"amount": True}, "amount", "invalid"),
    ({"amount": None}, "amount", "invalid"),
    ({"amount": [1]}, "amount", "invalid"),
    ({"amount": {}}, "amount", "invalid"),
    ({"source": "x"}, "source", "invalid"),
    ({"source": 5}, "source", "invalid"),
    ({"description": "x" * 201}, "description", "invalid"),
    ({"description": "same"}, "", "invalid"),
    ({"metadata": {"a": 1.5}}, "metadata.a", "invalid"),
    ({"metadata": {"a": 2**53}}, "metadata.a", "out_of_range"),
    ({"metadata": {"a": {}}}, "metadata.a", "invalid"),
    ({"metadata": {"k" * 65: 1}}, "metadata", "invalid"),
    ({"metadata": {str(n): n for n in range(51)}}, "metadata", "invalid"),
    ({"metadata": []}, "metadata", "invalid"),
    ({"status": "completed"}, "status", "unknown_field"),
]


@pytest.mark.parametrize(("change", "field", "code"), BAD_FIELDS)
def test_a_bad_field_is_named(change, field, code):
    assert refusals(lambda: wire.read(FakeRequest(GOOD | change), Transfer)) == {(field, code)}


@pytest.mark.parametrize(("change", "field", "code"), BAD_FIELDS)
def test_a_bad_field_is_named_by_its_place_in_a_batch(change, field, code):
    place = f"transfers.1.{field}".rstrip(".")
    body = {"transfers": [GOOD, GOOD | change]}
    assert refusals(lambda: wire.read(FakeRequest(body), Batch)) == {(place, code)}


def test_all_that_is_wrong_is_named_at_once():
    body = {"transfers": [{"amount": 0}, GOOD, {"x": 1, **GOOD}], "one": {"amount": 1}, "atomic": "yes", "is_staff": 1}
    assert refusals(lambda: wire.read(FakeRequest(body), Batch)) == {
        ("transfers.0.source", "required"),
        ("transfers.0.amount", "out_of_range"),
        ("transfers.2.x", "unknown_field"),
        ("one.source", "required"),
        ("atomic", "invalid"),
        ("is_staff", "unknown_field"),
    }


def test_a_list_of_the_wrong_length_is_named():
    assert refusals(lambda: wire.read(FakeRequest({"transfers": []}), Batch)) == {("transfers", "invalid")}
    assert refusals(lambda: wire.read(FakeRequest({"transfers": [GOOD] * 4}), Batch)) == {("transfers", "invalid")}


@pytest.mark.parametrize("body", [[], "text", 5, None, [GOOD]])
def test_a_body_that_is_no_object_is_refused(body):
    assert refusals(lambda: wire.read(FakeRequest(body), Transfer)) == {("", "invalid")}


def test_ten_thousand_mistakes_are_answered_with_a_hundred():
    body = {"transfers": [{"amount": 0, "source": SOURCE}] * 10_000}
    with pytest.raises(ValidationError) as refusal:
        wire.read(FakeRequest(body), Batch)
    assert len(refusal.value.errors) == 100


def test_a_good_query_becomes_a_struct():
    page = wire.query(FakeRequest(query="limit=50&after=2026-01-20T10:00:00Z&name=5"), Page)
    assert (page.limit, page.after.isoformat(), page.name) == (50, "2026-01-20T10:00:00+00:00", "5")
    assert wire.query(FakeRequest(), Page) == Page()


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("limit=0", "limit", "out_of_range"),
        ("limit=500", "limit", "out_of_range"),
        ("limit=ten", "limit", "invalid"),
        ("limit=", "limit", "invalid"),
        ("limit=%EF%BC%91%EF%BC%90", "limit", "invalid"),
        ("limit=1&limit=1", "limit", "invalid"),
        ("limit=1_000", "limit", "invalid"),
        ("limit=99999999999999999999999999", "limit", "out_of_range"),
        ("after=yesterday", "after", "invalid"),
        ("after=2026-01-20T10:00:00", "after", "invalid"),
        ("name=%00", "name", "invalid"),
        ("nothing=1", "nothing", "unknown_field"),
    ],
)
def test_a_bad_parameter_is_named(query, field, code):
    assert refusals(lambda: wire.query(FakeRequest(query=query), Page)) == {(field, code)}
