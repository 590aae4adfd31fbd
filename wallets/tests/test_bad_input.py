"""What must be refused with the documented 4xx, whatever it looks like: nothing moves, and nothing is ever a 500."""

import pytest

from wallets.models import IdempotencyKey, Transfer
from wallets.tests.conftest import balance

# As they stand in the JSON of a transfer's body.
AMOUNTS = [
    "0", "-1", "-0", "10.0", "1.5", "0.1", "1e3", "1E3", "1e-3", '"10"', '"１０"', '"1_000"', '" 10"', "true", "false",
    "null", "[]", "[10]", "{}", '{"amount": 10}', '""', "1000000000000001", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "18446744073709551616", "1" + "0" * 39, "1" + "0" * 5000, "-9223372036854775809", '"NaN"',
    '"Infinity"', '"0x10"', "1e400", "100000000000000000000.0",
]  # fmt: skip
MALFORMED_AMOUNTS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "010",
    "+10",
    "1_000",
    "0x10",
    ".5",
    "5.",
    "１０",
    "",
    "1 0",
    "'10'",
    "10,",
]

HEAD = '{"source": "%(source)s", "destination": "%(destination)s"'
BODIES = [
    (b"", 400), (b"{", 400), (b"[]", 400), (b"null", 400), (b'"x"', 400), (b"5", 400), (b"\xff\xfe", 400),
    (b"\xef\xbb\xbf{}", 400), (b"\x00", 400), (b"[" * 50_000, 400), (b'{"a":' * 12_000, 400), (b"[" * 100_000, 413),
    ((HEAD + ', "amount": 5, "amount": 5}').encode(), 400),
    ((HEAD + ', "amount": 5, "source": "%(source)s"}').encode(), 400),
    ((HEAD + ', "amount": 5, "status": "completed"}').encode(), 400),
    ((HEAD + ', "amount": 5, "balance": 9}').encode(), 400),
    ((HEAD + ', "amount": 5, "is_staff": true}').encode(), 400),
    ((HEAD + ', "amount": 5, "id": "%(source)s"}').encode(), 400),
    ((HEAD + ', "amount": 5, "Amount": 5}').encode(), 400),
    ((HEAD + ', "amount": 5, "description": "a\\u0000b"}').encode(), 400),
    ((HEAD + ', "amount": 5, "description": "\\ud800"}').encode(), 400),
    ((HEAD + ', "amount": 5, "description": "\\udc00\\ud800"}').encode(), 400),
    ((HEAD + ', "amount": 5, "description": 5}').encode(), 400),
    ((HEAD + ', "amount": 5, "description": null}').encode(), 400),
    ((HEAD + ', "amount": 5, "description": "' + "x" * 256 + '"}').encode(), 400),
    ((HEAD + ', "amount": 5, "metadata": []}').encode(), 400),
    ((HEAD + ', "amount": 5, "metadata": {"a": {"b": 1}}}').encode(), 400),
    ((HEAD + ', "amount": 5, "metadata": {"a": "\\ud800"}}').encode(), 400),
    ((HEAD + ', "amount": 5, "metadata": ' + '{"a":' * 40 + "1" + "}" * 40 + "}").encode(), 400),
    ((HEAD + ', "amount": 5} trailing').encode(), 400),
    ((HEAD + ', "amount": 5, }').encode(), 400),
    ((HEAD + ', "amount": 5} // a comment').encode(), 400),
    ((HEAD + ', "amount": 5, "description": "' + "x" * 70_000 + '"}').encode(), 413),
    (b'{"source": 5, "destination": [], "amount": 5}', 400),
    (b'{"source": "%(source)s", "amount": 5}', 400),
    (b'{"source": "../../etc/passwd", "destination": "%(destination)s", "amount": 5}', 400),
    (b'{"source": "%(source)s", "destination_user": "", "amount": 5}', 400),
    (b'{"source": "%(source)s", "destination_user": {"$ne": 1}, "amount": 5}', 400),
]  # fmt: skip


def send(person, purse, bobs, raw):
    values = {b"%(source)s": str(purse.id).encode(), b"%(destination)s": str(bobs.id).encode()}
    for name, value in values.items():
        raw = raw.replace(name, value)
    return person.http.post("transfers", raw, Content_Type="application/json")


def nothing_moved(person, purse):
    return (
        balance(person.http, purse) == (1_000, 0, 0, 1_000)
        and not Transfer.objects.exists()
        and not IdempotencyKey.objects.filter(caller=person.caller.key).exists()
    )


@pytest.mark.parametrize("amount", AMOUNTS, ids=lambda amount: amount[:24])
def test_an_amount_is_a_whole_number_in_its_range_and_nothing_else(alice, purse, bobs, amount):
    answer = send(alice, purse, bobs, (HEAD + ', "amount": ' + amount + "}").encode())
    assert (answer.status, answer.code) in ((400, "validation_error"), (400, "malformed_json"))
    if answer.code == "validation_error":
        assert answer.body["errors"][0]["field"].startswith("amount")
    assert nothing_moved(alice, purse)


@pytest.mark.parametrize("amount", MALFORMED_AMOUNTS)
def test_what_isnt_json_is_malformed(alice, purse, bobs, amount):
    answer = send(alice, purse, bobs, (HEAD + ', "amount": ' + amount + "}").encode())
    assert (answer.status, answer.code) == (400, "malformed_json")
    assert nothing_moved(alice, purse)


@pytest.mark.parametrize(("raw", "status"), BODIES, ids=[str(number) for number in range(len(BODIES))])
def test_a_body_is_strict(alice, purse, bobs, raw, status):
    answer = send(alice, purse, bobs, raw)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["request_id"] == answer.headers["X-Request-ID"]
    assert nothing_moved(alice, purse)


def test_every_wrong_field_is_named_at_once(alice, purse):
    answer = send(alice, purse, purse, b'{"source": 5, "amount": 0, "colour": "red", "metadata": {"a": []}}')
    fields = {(error["field"], error["code"]) for error in answer.body["errors"]}
    assert {("source", "invalid"), ("amount", "out_of_range"), ("colour", "unknown_field")} <= fields


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"]
)
def test_only_json_is_taken(alice, purse, bobs, kind):
    answer = alice.http.post("transfers", b"a=1", Content_Type=kind)
    assert (answer.status, answer.code) == (415, "unsupported_media_type")


def test_a_batch_may_be_large_and_not_larger(alice, purse, bobs):
    item = {"source": str(purse.id), "destination": str(bobs.id), "amount": 1, "description": "x" * 255}
    answer = alice.http.post(
        "transfers/batch", {"transfers": [item] * 8_000 + [item | {"description": "x" * 255}] * 5_000}
    )
    assert (answer.status, answer.code) in ((413, "body_too_large"), (400, "validation_error"))
    too_large = b'{"transfers": [' + b" " * (5 * 1024 * 1024) + b"]}"
    assert alice.http.post("transfers/batch", too_large).code == "body_too_large"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_a_path_takes_only_its_methods(alice, method):
    answer = alice.http.send(method, "transfers", {}, {})
    assert (answer.status, answer.code) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]
