import json
import re
import time
from io import BytesIO

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from walletproject import strict_json
from walletproject.strict_json import MalformedJson, parse
from walletproject.tests.problems import assert_problem
from walletproject.wsgi import with_length

DEEP = 100_000

MALFORMED = {
    "nothing but blanks": b"  \n",
    "no JSON at all": b"hello",
    "a form": b"amount=10&currency=USD",
    "an open object": b'{"amount": 10',
    "an open string": b'{"amount": "10',
    "an open list": b'{"a": [1, 2',
    "a key without a value": b'{"amount"}',
    "a key without quotes": b"{amount: 10}",
    "single quotes": b"{'amount': 10}",
    "a comma too many": b'{"amount": 10,}',
    "a comma too many in a list": b'{"a": [1,]}',
    "a comma first": b'{,"amount": 10}',
    "a comment": b'{"amount": 10} // ten',
    "a second document": b'{"amount": 10}{"amount": 11}',
    "something after the end": b'{"amount": 10} x',
    "a list": b'[{"amount": 10}]',
    "an empty list": b"[]",
    "a string": b'"amount"',
    "a number": b"10",
    "null": b"null",
    "true": b"true",
    "a duplicate key": b'{"amount": 10, "amount": 10}',
    "a duplicate key with another value": b'{"amount": 10, "amount": 1000}',
    "a duplicate key further in": b'{"metadata": {"a": 1, "a": 2}}',
    "a duplicate key in a list": b'{"items": [{"a": 1, "a": 1}]}',
    "a duplicate key in other letters": b'{"amount": 10, "\\u0061mount": 1000}',
    "a raw NUL in a string": b'{"name": "a\x00b"}',
    "a raw NUL outside": b'{"name": "a"}\x00',
    "an escaped NUL": b'{"name": "a\\u0000b"}',
    "an escaped NUL in a key": b'{"a\\u0000": 1}',
    "an escaped NUL further in": b'{"metadata": {"a": ["x", {"b": "\\u0000"}]}}',
    "half a surrogate pair, high": b'{"name": "\\ud800"}',
    "half a surrogate pair, low": b'{"name": "\\udc00"}',
    "a surrogate pair the wrong way round": b'{"name": "\\udc00\\ud800"}',
    "half a surrogate pair in a key": b'{"\\ud83d": 1}',
    "a surrogate encoded in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "broken UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-8 that stops halfway": b'{"name": "\xe2\x82',
    "UTF-8 longer than it need be": b'{"name": "\xc0\x80"}',
    "Latin-1": '{"name": "Zoë"}'.encode("latin-1"),
    "UTF-16": '{"amount": 10}'.encode("utf-16"),
    "UTF-32": '{"amount": 10}'.encode("utf-32"),
    "a byte order mark": b'\xef\xbb\xbf{"amount": 10}',
    "a line feed in a string": b'{"name": "a\nb"}',
    "a tab in a string": b'{"name": "a\tb"}',
    "an unknown escape": b'{"name": "\\x41"}',
    "a short unicode escape": b'{"name": "\\u12"}',
    "NaN": b'{"amount": NaN}',
    "Infinity": b'{"amount": Infinity}',
    "minus Infinity": b'{"amount": -Infinity}',
    "a float that overflows": b'{"amount": 1e400}',
    "a negative float that overflows": b'{"amount": -1e400}',
    "hexadecimal": b'{"amount": 0x10}',
    "octal": b'{"amount": 010}',
    "underscores": b'{"amount": 1_000}',
    "a plus sign": b'{"amount": +10}',
    "a bare fraction": b'{"amount": .5}',
    "a fraction without digits": b'{"amount": 5.}',
    "an exponent without digits": b'{"amount": 1e}',
    "full-width digits": '{"amount": １０}'.encode(),
    "Arabic digits": '{"amount": ١٠}'.encode(),
    "minus alone": b'{"amount": -}',
    "Python's True": b'{"amount": True}',
    "Python's None": b'{"amount": None}',
    "5,000 digits": b'{"amount": ' + b"9" * 5_000 + b"}",
    "60,000 digits": b'{"amount": ' + b"9" * 60_000 + b"}",
    "41 digits": b'{"amount":' + b"7" * 41 + b"}",
    "41 digits below zero": b'{"amount":-' + b"1234567890" * 4 + b"1}",
    "5,000 digits after the point": b'{"amount": 0.' + b"9" * 5_000 + b"}",
    "33 levels of lists": b'{"a": ' + b"[" * 32 + b"]" * 32 + b"}",
    "33 levels of objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "900 levels": b'{"a":' * 900 + b"1" + b"}" * 900,
    "10,000 levels": b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "10,000 levels of objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "levels that never close": b'{"a": ' + b"[" * 30_000,
}

TAKEN = {
    "an integer": (b'{"a": 10}', {"a": 10}),
    "minus zero": (b'{"a": -0}', {"a": 0}),
    "40 digits": (b'{"a":' + b"1234567890" * 4 + b"}", {"a": int("1234567890" * 4)}),
    "40 digits below zero": (b'{"a":-' + b"7" * 40 + b"}", {"a": -int("7" * 40)}),
    "40 digits below zero, and blanks": (b'{"a": -' + b"7" * 40 + b', "b": 1e3}', {"a": -int("7" * 40), "b": 1000.0}),
    "more digits in a string": (b'{"a":"' + b"7" * 50 + b'"}', {"a": "7" * 50}),
    "beyond 64 bits": (b'{"a": 18446744073709551617}', {"a": 2**64 + 1}),
    "null": (b'{"a": null}', {"a": None}),
    "an empty object": (b"{}", {}),
    "blanks around": (b' \r\n\t{"a" : 1 } \n', {"a": 1}),
    "a pair of surrogates": (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
    "the backslash, then u0000": (b'{"a": "\\\\u0000"}', {"a": "\\u0000"}),
    "an escaped letter": (b'{"a": "\\u0041"}', {"a": "A"}),
    "32 levels": (b'{"a": ' + b"[" * 31 + b"]" * 31 + b"}", None),
    "many brackets on one level": (b'{"a": [' + b"[]," * 100 + b"[]]}", {"a": [[]] * 101}),
    "brackets in a string": (b'{"a": "' + b"[" * 100 + b'"}', {"a": "[" * 100}),
    "the same key in two objects": (b'{"a": {"x": 1}, "b": {"x": 1}}', {"a": {"x": 1}, "b": {"x": 1}}),
}


def post(client, body, path="/echo", content_type="application/json", **extra):
    return client.generic("POST", path, body, content_type=content_type, **extra)


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_body_is_refused(api, body):
    assert_problem(post(api, body), 400, "malformed_json")


@pytest.mark.parametrize(("body", "value"), TAKEN.values(), ids=TAKEN)
def test_a_sound_body_is_taken_as_it_is(api, body, value):
    response = post(api, body)
    assert response.status_code == 200, response.content
    assert value is None or response.json()["got"] == value


@pytest.mark.parametrize("number", [b"10.0", b"1e3", b"1E3", b"1e0", b"-1.5", b"0.1"])
def test_a_number_with_a_point_or_exponent_is_never_an_integer(api, number):
    assert post(api, b'{"amount": ' + number + b"}").json()["kinds"] == ["float"]


def as_object(members):
    return "{" + ",".join(f'"{key}":{value}' for key, value in members) + "}"


# What could be read differently comes often, in keys above all, and as often as not spelt as another writer would.
KEYS = st.sampled_from(["a", "b", "\\u0061", "é", "\\u00e9", "\\ud83d\\ude00", "/", "\\/", "\\n", ""])
NUMBERS = st.one_of(
    st.integers(), st.floats(),
    st.integers(min_value=10**37, max_value=10**43).flatmap(lambda number: st.sampled_from((number, -number))),
    st.sampled_from(["-0", "1.0", "1e3", "1E3", "1e22", "1e400", "0.10", "1e-7", "0.0000001", "NaN", "01", "+1"]),
)  # fmt: skip
VALUES = st.recursive(
    st.one_of(NUMBERS.map(str), KEYS.map('"{}"'.format), st.sampled_from(["true", "null", "nul", "'x'", '"\\ud800"'])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(st.tuples(KEYS, inner), max_size=4).map(as_object),
    ),
    max_leaves=12,
)


def outcome(read, body):
    try:
        return repr(read(body))
    except MalformedJson as error:
        return str(error)


@given(VALUES.map(lambda value: f'{{"a":{value}}}'.encode()))
@example(b'{"a":1,"a":1}')
@example(b'{"a":1,"\\u0061":1}')
@example(b'{"a":-0}')
def test_the_quick_reader_reads_what_the_careful_one_does(body):
    read = strict_json._decode_plain(body)
    assert read is strict_json._NOT_PLAIN or repr(read) == outcome(strict_json._decode, body)


@given(st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_is_written_as_most_write_is_read_quickly(value):
    body = {"a": value}
    for written in (msgspec.json.encode(body), json.dumps(body, ensure_ascii=False).encode()):
        read = strict_json._decode_plain(written)
        assert read == body or re.search(rb"[0-9]{41}", written)


def test_an_empty_body_is_an_empty_object(api):
    assert post(api, b"").json()["got"] == {}


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_a_hundred_thousand_levels_are_refused_at_once(opening):
    start = time.perf_counter()
    with pytest.raises(MalformedJson):
        parse(b'{"a":' + opening * DEEP)
    assert time.perf_counter() - start < 1


def test_a_hundred_thousand_levels_over_http(api):
    assert_problem(post(api, b'{"a":' * DEEP + b"1" + b"}" * DEEP, path="/batch"), 400, "malformed_json")


def test_the_place_of_the_mistake_is_told(api):
    assert post(api, b'{"amount": 10,\n "to"}').json()["detail"] == "Expecting ':' delimiter at line 2, column 6."


def padded(size):
    return b'{"a":"' + b"x" * (size - 8) + b'"}'


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/echo", 64 * 1024, 200),
        ("/echo", 64 * 1024 + 1, 413),
        ("/batch", 64 * 1024 + 1, 200),
        ("/batch", 5 * 1024 * 1024, 200),
        ("/batch", 5 * 1024 * 1024 + 1, 413),
    ],
)
def test_a_body_may_be_as_long_as_its_endpoint_says(api, path, size, status):
    response = post(api, padded(size), path=path)
    assert response.status_code == status
    if status == 413:
        assert assert_problem(response, 413, "body_too_large")["limit"] == size - 1


class Unread(BytesIO):
    def read(self, *_):
        raise AssertionError("read, although its length was announced")


def test_a_body_announced_as_too_long_is_not_read(api):
    response = api.post(
        "/echo", **{"wsgi.input": Unread(), "CONTENT_LENGTH": "70000", "CONTENT_TYPE": "application/json"}
    )
    assert_problem(response, 413, "body_too_large")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/*",
        "*/*",
        "application/json-patch+json",
        "application/json; charset=latin-1",
        "application/json; charset=utf-16",
        "json",
        "x" * 5_000,
        "/",
        ";",
    ],
)
def test_another_content_type_is_refused(api, content_type):
    assert_problem(post(api, b'{"a": 1}', content_type=content_type), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
def test_json_in_utf_8_is_taken_however_it_is_written(api, content_type):
    assert post(api, b'{"a": 1}', content_type=content_type).status_code == 200


def test_a_compressed_body_is_refused(api):
    assert_problem(post(api, b'{"a": 1}', headers={"Content-Encoding": "gzip"}), 415, "unsupported_media_type")


def chunked(body):
    """What the application behind `with_length` gets to see of a chunked body."""
    seen = {}
    with_length(lambda environ, start: seen.update(environ) or [])(
        {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(body)}, None
    )
    return int(seen["CONTENT_LENGTH"]), seen["wsgi.input"].read()


def test_a_chunked_body_gets_its_length():
    assert chunked(b'{"a": 1}') == (8, b'{"a": 1}')


def test_a_chunked_body_without_end_is_read_just_past_the_limit(settings):
    settings.BATCH_BODY_LIMIT = 1000
    assert chunked(b"x" * 1_000_000)[0] == 1001


def test_a_small_body_is_parsed_in_microseconds():
    body = json.dumps({"source": "a" * 36, "destination": "b" * 36, "amount": 1170, "description": "rent"}).encode()
    start = time.perf_counter()
    for _ in range(1000):
        parse(body)
    assert (time.perf_counter() - start) / 1000 < 200e-6
