import pytest

from walletproject import checks


def ids(messages):
    return {message.id for message in messages}


@pytest.fixture
def production(settings):
    settings.PRODUCTION = True
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["wallet.example"]
    settings.SECRET_KEY = settings.JWT_SIGNING_KEY = "kX3vQ9mZ7tR2wB8nL5cJ1hF6gD4sA0pYuEiO"
    return settings


def test_a_sound_production_passes(production):
    assert checks.production_is_closed() == []


@pytest.mark.parametrize(
    ("name", "value", "id"),
    [
        ("DEBUG", True, "walletproject.E001"),
        ("ALLOWED_HOSTS", [], "walletproject.E002"),
        ("ALLOWED_HOSTS", ["*"], "walletproject.E002"),
        ("SECRET_KEY", "short", "walletproject.E003"),
        ("SECRET_KEY", "a" * 64, "walletproject.E003"),
        ("JWT_SIGNING_KEY", "django-insecure-" + "kX3vQ9mZ7tR2wB8nL5cJ", "walletproject.E003"),
    ],
)
def test_an_open_production_is_refused(production, name, value, id):
    setattr(production, name, value)
    assert ids(checks.production_is_closed()) == {id}


def test_development_is_left_alone(production):
    production.PRODUCTION, production.DEBUG = False, True
    assert checks.production_is_closed() == []


@pytest.mark.parametrize(("role", "found"), [("wallet_app", set()), ("", {"walletproject.W001"})])
def test_an_application_that_owns_its_tables_is_warned(settings, role, found):
    settings.DATABASE_APP_ROLE = role
    assert ids(checks.application_is_not_the_owner()) == found


def test_an_admin_without_csrf_is_refused(settings):
    settings.ADMIN_MIDDLEWARE = [path for path in settings.ADMIN_MIDDLEWARE if "csrf" not in path]
    assert ids(checks.admin_has_its_middleware()) == {"walletproject.E004"}


PAYSTACK = {"mode": "live", "base_url": "https://api.paystack.co", "secret_key": "sk_live_1", "webhook_secrets": ["s"]}


def enable(settings, **changes):
    settings.PROVIDERS = {"paystack": ("path", PAYSTACK | changes)}
    settings.DEFAULT_PROVIDER = "paystack"


def of_providers():
    return ids(checks.providers_can_work()) | ids(checks.real_money_is_moved_in_production_only())


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, set()),
        ({"secret_key": ""}, {"walletproject.E005"}),
        ({"mode": "test"}, {"walletproject.E007"}),
        ({"base_url": "http://api.paystack.co"}, {"walletproject.E008"}),
    ],
)
def test_production_moves_real_money_with_all_its_keys(production, changes, found):
    enable(production, **changes)
    assert of_providers() == found


@pytest.mark.parametrize(("mode", "found"), [("live", {"walletproject.E009"}), ("test", set())])
def test_development_has_test_keys_only(settings, mode, found):
    settings.PRODUCTION = False
    enable(settings, mode=mode, base_url="http://127.0.0.1:9000")
    assert of_providers() == found


def test_the_default_provider_must_be_enabled(settings):
    enable(settings, mode="test")
    settings.DEFAULT_PROVIDER = "fincra"
    assert of_providers() == {"walletproject.E006"}


def test_production_without_a_provider_is_told_how_to_get_one(production):
    production.PROVIDERS, production.DEFAULT_PROVIDER = {}, ""
    (error,) = checks.providers_can_work()
    assert "PROVIDERS=sandbox" in error.hint


def test_a_sandbox_in_production_is_warned_of(production):
    production.PROVIDERS, production.DEFAULT_PROVIDER = {"sandbox": ("path", {})}, "sandbox"
    assert of_providers() == {"walletproject.W002"}


def test_no_message_has_a_key_in_it(production):
    enable(production, mode="test", base_url="http://x", webhook_secrets=[])
    assert "sk_live_1" not in str(checks.real_money_is_moved_in_production_only())
