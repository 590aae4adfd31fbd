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
