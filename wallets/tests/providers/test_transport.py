import logging
import threading
import time
from decimal import Decimal

import pytest

from wallets.providers import transport
from wallets.providers.transport import Call, Lost, NotSent, Reply, Transport, decode, segment
from wallets.tests.providers.server import answer, drip, half, html, reset, silence, unused_address

KEY = "sk_test_very_secret"
PAY = Call("POST", "/transfer", body={"amount": 5, "account_number": "0690000031"})


def call(server, *behaviours, call=PAY, seconds=5.0):
    server.will(*behaviours)
    return Transport(server.url, {"Authorization": f"Bearer {KEY}"}).call(call, seconds=seconds)


def test_a_call_carries_the_key_and_the_body(server):
    reply = call(server, answer(body={"status": True}, X_Request_Id="r-1"))
    assert (reply.status, reply.body, reply.headers["x-request-id"]) == (200, {"status": True}, "r-1")
    (request,) = server.requests
    assert (request.method, request.path, request.json) == ("POST", "/transfer", PAY.body)
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"


def test_numbers_are_exact(server):
    reply = call(
        server, answer(body=b'{"balance": 1999965363.990817, "minor": 48250075, "long": 0.1234567890123456789}')
    )
    assert reply.body == {
        "balance": Decimal("1999965363.990817"), "minor": 48250075, "long": Decimal("0.1234567890123456789"),
    }  # fmt: skip


def test_nobody_there_is_not_sent():
    assert Transport(unused_address(), {}).call(PAY) == NotSent("ConnectError")


def test_a_name_that_doesnt_resolve_is_not_sent():
    assert Transport("http://nowhere.invalid", {}).call(PAY) == NotSent("ConnectError")


@pytest.mark.parametrize("address", ["", "api.paystack.co", "ftp://127.0.0.1", "http://[", "http://127.0.0.1:99999999"])
def test_an_address_that_is_none_is_not_sent(address):
    assert isinstance(Transport(address, {}).call(PAY), NotSent)


def test_a_pool_without_a_free_connection_is_not_sent(server, monkeypatch):
    monkeypatch.setattr(transport, "CONNECTIONS", 1)
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.1)
    server.will(silence(1.0))
    way = Transport(server.url, {})
    first = threading.Thread(target=way.call, args=(PAY,), kwargs={"seconds": 0.8})
    first.start()
    while not server.requests:
        time.sleep(0.01)
    assert way.call(PAY, seconds=0.8) == NotSent("PoolTimeout")
    first.join()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [(silence(), "ReadTimeout"), (reset, "ReadError"), (half, "RemoteProtocolError"), (drip, "ReadTimeout")],
)
def test_an_answer_that_doesnt_arrive_is_lost_and_nothing_is_sent_again(server, behaviour, kind, monkeypatch):
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.2)
    assert call(server, behaviour, seconds=0.2) == Lost(kind)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        html(), answer(body=b""), answer(body=b"null"), answer(body=b"[1]"), answer(body=b'"yes"'), answer(body=b"{"),
        answer(body=b'{"amount": NaN}'), answer(body=b'{"a": 1e99999999999999999999}'), answer(body=b"\xff\xfe{}"),
        answer(body=b'{"a":' * 100_000), answer(body=b'{"amount": ' + b"9" * 5000 + b"}"),
        answer(body=b'{"a": "' + b"x" * transport.BODY_LIMIT + b'"}'),
    ],
)  # fmt: skip
def test_what_isnt_a_json_object_of_moderate_size_is_no_body(server, behaviour):
    reply = call(server, behaviour)
    assert (reply.status, reply.body) == (200, None)


def test_a_redirect_isnt_followed(server):
    reply = call(server, answer(302, {}, Location=f"{server.url}/elsewhere"), answer(200, {"status": True}))
    assert reply.status == 302
    assert [request.path for request in server.requests] == ["/transfer"]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0), ({"Retry_After": "0.5"}, 0.5), ({}, None), ({"Retry_After": "soon"}, None),
        ({"Retry_After": "-1"}, 0.0), ({"Retry_After": "nan"}, None), ({"Retry_After": "1e9"}, 3600.0),
        ({"Retry_After": "Mon, 05 Jan 2099 10:00:30 GMT"}, 3600.0),
        ({"Retry_After": "Mon, 05 Jan 1999 10:00:30 GMT"}, 0.0),
    ],
)  # fmt: skip
def test_how_long_to_wait_is_in_seconds(server, headers, seconds):
    assert call(server, answer(429, {}, **headers)).retry_after == seconds


def test_no_log_and_no_repr_has_the_key_or_an_account_number(server, caplog):
    with caplog.at_level(logging.INFO):
        asked = Call("GET", "/bank/resolve", {"account_number": "0690000031"})
        reply = call(server, answer(body={"account_number": "0690000031"}), call=asked)
        lost = call(server, reset)
    for shown in (caplog.text, repr(asked), repr(PAY), repr(reply), repr(lost)):
        assert "0690000031" not in shown
        assert KEY not in shown


def test_a_key_with_a_line_break_isnt_quoted_in_an_error(server):
    lost = Transport(server.url, {"Authorization": f"Bearer {KEY}\n"}).call(PAY)
    assert not isinstance(lost, Reply)
    assert KEY not in repr(lost)
    assert server.requests == []


@pytest.mark.parametrize("name", ["../wallets", "..", "a/b", "a?b", "a#b", "a%2Fb", "ä b"])
def test_a_name_stays_one_part_of_the_path(server, name):
    call(server, answer(body={}), call=Call("GET", f"/transfer/verify/{segment(name)}"))
    path = server.requests[0].path
    assert path.startswith("/transfer/verify/")
    assert path.count("/") == 3
    assert "?" not in path


def test_it_decodes_nothing_but_objects():
    assert decode(b'{"a": 1.50}') == {"a": Decimal("1.50")}
    assert decode(b"1") is None
