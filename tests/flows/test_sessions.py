"""Logging in, staying in, and out again."""

from datetime import UTC, datetime, timedelta

import time_machine


def test_a_session_lives_on_by_refreshing_and_ends_by_logging_out(newcomer):
    ada = newcomer("ada@example.org", "Ada")
    first = ada.log_in("ada@example.org")
    assert ada.get("me")["email"] == "ada@example.org"

    second = ada.post("auth/token/refresh", {"refresh": first["refresh"]}, 200)
    assert second["refresh"] != first["refresh"]
    ada.http.headers["Authorization"] = f"Bearer {second['access']}"
    assert ada.get("me")["full_name"] == "Ada"

    ada.post("auth/logout", {"refresh": second["refresh"]}, 204)
    assert ada.post("auth/token/refresh", {"refresh": second["refresh"]}, 401)["code"] == "token_invalid"


def test_a_stolen_refresh_token_ends_the_session_for_the_thief_and_its_owner(newcomer):
    ada = newcomer("ada@example.org", "Ada")
    stolen = ada.log_in("ada@example.org")["refresh"]
    owners = ada.post("auth/token/refresh", {"refresh": stolen}, 200)
    ada.post("auth/token/refresh", {"refresh": stolen}, 401)
    ada.post("auth/token/refresh", {"refresh": owners["refresh"]}, 401)
    ada.log_in("ada@example.org")
    assert ada.get("me")["email"] == "ada@example.org"


def test_an_access_token_is_good_for_five_minutes(newcomer):
    ada = newcomer("ada@example.org", "Ada")
    before = datetime.now(UTC)
    pair = ada.log_in("ada@example.org")
    with time_machine.travel(before + timedelta(seconds=299), tick=False):
        ada.get("me")
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=301)):
        assert ada.get("me", 401)["code"] == "token_invalid"
        ada.http.headers.pop("Authorization")
        assert ada.get("me", 401)["code"] == "not_authenticated"
        ada.post("auth/token/refresh", {"refresh": pair["refresh"]}, 200)
