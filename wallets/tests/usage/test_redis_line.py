"""What is asked of Redis is answered in its order, whether somebody waits for it or not, and whatever happens."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from django_redis import get_redis_connection
from redis import ConnectionPool
from redis.exceptions import ConnectionError, RedisError, ResponseError

from wallets.usage.redis_line import Line

ID = [("CLIENT", "ID")]
REFUSED = ("HSET", "not enough")


def pool():
    return get_redis_connection("default").connection_pool


@pytest.fixture
def line():
    return Line(pool)


def say(line, *words):
    asked = line.ask([("ECHO", word) for word in words])
    return [word.encode() for word in words], asked


def test_answers_come_in_the_order_of_the_questions_however_they_are_read(line):
    told = [say(line, *words) for words in (["a"], ["b", "c"], [], ["d"])]
    for words, asked in (told[1], told[3], told[0], told[2]):
        assert asked.read() == words
    assert told[1][1].read() == [b"b", b"c"]


def test_what_nobody_reads_is_in_nobodys_way(line):
    refusals = []
    line.say([("ECHO", "for nobody"), REFUSED, ("ECHO", "either")], refusals.append)
    assert line.ask([("ECHO", "mine")]).read() == [b"mine"]
    assert [type(refusal) for refusal in refusals] == [ResponseError]


def test_a_refusal_is_raised_for_who_asked_and_for_nobody_else(line):
    refused, mine = line.ask([("ECHO", "good"), REFUSED]), line.ask([("ECHO", "mine")])
    for _ in range(2):
        with pytest.raises(ResponseError):
            refused.read()
    assert mine.read() == [b"mine"]


def close(id):
    redis = get_redis_connection("default")
    redis.client_kill_filter(_id=id)
    while any(client["id"] == str(id) for client in redis.client_list()):
        pass


@pytest.mark.parametrize("answered", [True, False])
def test_a_line_that_redis_closed_is_opened_anew(line, answered):
    (before,) = line.ask(ID).read()
    unread = line.ask([("ECHO", "read late")] if answered else [("BLPOP", "nothing comes here", 5)])
    if answered:
        assert line._connection.can_read(timeout=5)
    close(before)
    (after,) = line.ask(ID).read()
    assert after != before
    if answered:
        assert unread.read() == [b"read late"]
    else:
        with pytest.raises(ConnectionError):
            unread.read()


def test_what_was_lost_with_the_line_is_told(line):
    (id,) = line.ask(ID).read()
    asked = line.ask([("BLPOP", "nothing comes here", 5)])
    close(id)
    with pytest.raises(ConnectionError):
        asked.read()
    assert line.ask([("ECHO", "again")]).read() == [b"again"]


def test_an_answer_that_doesnt_come_in_time_is_never_taken_for_another(line):
    late = line.ask([("BLPOP", "nothing comes here", 1)])
    for asking in (late.read, late.read):
        with pytest.raises(RedisError):
            asking()
    assert line.ask([("ECHO", "mine")]).read() == [b"mine"]


def test_who_answers_nothing_is_waited_for_once():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = {**pool().connection_kwargs, "port": silent.getsockname()[1], "socket_timeout": 0.05}
        line = Line(lambda: ConnectionPool(**settings))
        for _ in range(2):
            with pytest.raises(RedisError):
                line.ask([("ECHO", "hello?")]).read()


def test_threads_that_come_and_go_take_none_of_the_pools_connections(line):
    before = pool().get_connection_count(), pool()._created_connections
    for _ in range(120):
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(lambda: line.ask([("ECHO", "a")]).read()).result() == [b"a"]
    assert (pool().get_connection_count(), pool()._created_connections) == before


def test_what_one_thread_asked_another_cant_read(line):
    asked = line.ask([("ECHO", "mine")])
    with ThreadPoolExecutor(1) as thread, pytest.raises(ConnectionError):
        thread.submit(asked.read).result()
    assert asked.read() == [b"mine"]


def test_each_thread_has_its_own(line):
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda number: (number, line.ask([("ECHO", str(number))]).read()), range(400)))
    assert all(answers == [str(number).encode()] for number, answers in told)


def test_a_forked_process_has_its_own(line):
    (parents,) = line.ask(ID).read()
    unread = line.ask([("ECHO", "the parent's")])
    child = os.fork()
    if not child:
        os._exit(0 if line.ask(ID).read() != [parents] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert unread.read() == [b"the parent's"]
