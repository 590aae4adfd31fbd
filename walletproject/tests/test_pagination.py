import base64
import json
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from rest_framework.request import Request

from users.models import User
from users.validation import ValidationError
from walletproject.pagination import CursorPages, Position, decode, encode

ID = UUID("01980000-abcd-7000-8000-000000000001")
pages = CursorPages()


@pytest.fixture
def ask(rf):
    """A request for a list, by its query or by a link of an earlier answer."""

    def asking(query=""):
        return Request(rf.get("/people?" + (urlsplit(query).query if "://" in query else query)))

    return asking


@pytest.fixture
def seven(db):
    """Seven people, whose ids are in the order of their names."""
    ids = [UUID(int=ID.int + n) for n in range(7)]
    User.objects.bulk_create([User(id=id, email=f"{n}@example.com") for n, id in enumerate(ids)])
    return User.objects.filter(id__in=ids)


def names(body):
    return "".join(body["results"])


def page(people, request):
    return pages.page(people, request, lambda person: person.email[0])


def test_newest_come_first_and_links_lead_through_the_list_and_back(seven, ask):
    first = page(seven, ask("limit=3"))
    second = page(seven, ask(first["next"]))
    third = page(seven, ask(second["next"]))
    assert [names(body) for body in (first, second, third)] == ["654", "321", "0"]
    assert (first["previous"], third["next"]) == (None, None)
    back = page(seven, ask(third["previous"]))
    assert names(back) == "321"
    assert names(page(seven, ask(back["next"]))) == "0"
    begin = page(seven, ask(back["previous"]))
    assert (names(begin), begin["previous"]) == ("654", None)


def test_what_is_new_does_not_move_the_pages(seven, ask):
    first = page(seven, ask("limit=3"))
    newer = User.objects.create(id=UUID(int=ID.int + 9), email="9@example.com")
    everybody = seven | User.objects.filter(id=newer.id)
    second = page(everybody, ask(first["next"]))
    assert names(second) == "321"
    assert names(page(everybody, ask(second["previous"]))) == "654"


def test_a_list_that_fits_has_no_links(seven, ask):
    assert page(seven, ask("limit=7")) == {"results": list("6543210"), "next": None, "previous": None}


def test_an_empty_list_is_a_list(seven, ask):
    assert page(seven.none(), ask()) == {"results": [], "next": None, "previous": None}


def test_a_page_is_one_query(seven, ask, django_assert_num_queries):
    with django_assert_num_queries(1):
        page(seven, ask("limit=3"))


def test_links_are_absolute_and_keep_the_other_parameters(seven, ask):
    address = urlsplit(page(seven, ask("limit=3&currency=USD&tag=a&tag=b"))["next"])
    query = parse_qs(address.query)
    assert (address.scheme, address.netloc, address.path) == ("http", "testserver", "/people")
    assert query.pop("cursor")
    assert query == {"limit": ["3"], "currency": ["USD"], "tag": ["a", "b"]}


def test_links_use_the_public_address(seven, ask, settings):
    settings.PUBLIC_URL = "https://pay.example/"
    assert page(seven, ask("limit=3"))["next"].startswith("https://pay.example/people?")


@pytest.mark.parametrize(("query", "limit"), [("", 30), ("limit=1", 1), ("limit=200", 200)])
def test_a_limit_is_taken(ask, query, limit):
    assert pages.limit(ask(query)) == limit


BAD_NUMBERS = [
    "",
    "0",
    "-1",
    "201",
    "500",
    "1.0",
    "1e2",
    "ten",
    " 5",
    "５",
    "٣",
    "0x10",
    "1_0",
    "9" * 30,
    "%00",
    "null",
]


@pytest.mark.parametrize("limit", BAD_NUMBERS)
def test_a_limit_that_does_not_fit_is_refused(ask, limit):
    with pytest.raises(ValidationError) as refusal:
        pages.limit(ask(f"limit={limit}"))
    assert refusal.value.errors[0]["field"] == "limit"


def raw(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


BAD_CURSORS = {
    "empty": "",
    "no cursor": "abc",
    "not base64": "%%%",
    "not UTF-8": base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("="),
    "not JSON": raw("hello"),
    "another document": raw("{}"),
    "null": raw("null"),
    "one member": raw('["x"]'),
    "three members": raw(f'["{ID}",0,0]'),
    "no id": raw('["x",0]'),
    "a number for an id": raw("[7,0]"),
    "an id in capitals": raw(f'["{str(ID).upper()}",0]'),
    "another direction": raw(f'["{ID}",2]'),
    "a true direction": raw(f'["{ID}",true]'),
    "blanks": raw(f'["{ID}", 0]'),
    "padded": encode(Position(ID)) + "=",
    "followed by something": encode(Position(ID)) + "A",
    "deep": raw("[" * 5_000),
    "NUL": "\x00",
    "not ASCII": "ä",
    "SQL": "' OR 1=1 --",
}


@pytest.mark.parametrize("cursor", BAD_CURSORS.values(), ids=BAD_CURSORS)
def test_a_cursor_that_is_not_ours_is_refused(cursor):
    with pytest.raises(ValidationError) as refusal:
        decode(cursor)
    assert refusal.value.errors[0]["field"] == "cursor"


@pytest.mark.parametrize("number", [-1, 2**63, 10**30])
def test_a_number_beyond_the_database_is_no_position(number):
    with pytest.raises(ValidationError):
        decode(raw(json.dumps([number, 0], separators=(",", ":"))), int)


@pytest.mark.parametrize("position", [Position(ID), Position(ID, back=True)])
def test_a_cursor_leads_to_its_position(position):
    assert decode(encode(position)) == position


@pytest.mark.parametrize("number", [0, 1, 2**63 - 1])
def test_a_history_has_numbers_for_positions(ask, number):
    body = pages.answer(ask("type=fee"), [], next_position=number, previous_position=number, count=9)
    assert pages.position(ask(body["next"]), int) == Position(number)
    assert pages.position(ask(body["previous"]), int) == Position(number, back=True)
    assert body["count"] == 9


def test_offsets_have_links_of_their_own(ask):
    body = pages.offset_answer(ask("offset=10&limit=5&type=fee"), [], offset=10, limit=5, count=18)
    assert parse_qs(urlsplit(body["next"]).query) == {"offset": ["15"], "limit": ["5"], "type": ["fee"]}
    assert parse_qs(urlsplit(body["previous"]).query)["offset"] == ["5"]
    last = pages.offset_answer(ask(), [], offset=15, limit=5, count=18)
    assert (last["next"], last["count"]) == (None, 18)
    assert pages.offset_answer(ask(), [], offset=0, limit=5, count=18)["previous"] is None


@pytest.mark.parametrize(
    "query", ["offset=-1", "offset=x", "offset=", "offset=1.5", f"offset=1&cursor={encode(Position(ID))}"]
)
def test_an_offset_that_does_not_fit_is_refused(ask, query):
    with pytest.raises(ValidationError):
        pages.offset(ask(query))


def test_no_offset_is_none_and_zero_is_zero(ask):
    assert (pages.offset(ask()), pages.offset(ask("offset=0"))) == (None, 0)
