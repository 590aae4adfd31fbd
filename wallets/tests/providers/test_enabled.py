import subprocess
import sys

import pytest

from wallets.providers.enabled import enabled, known, lacking
from wallets.providers.registry import NoSuchProvider, Registry

FINCRA = {
    "FINCRA_API_KEY": "k", "FINCRA_PUBLIC_KEY": "p", "FINCRA_BUSINESS_ID": "b", "FINCRA_WEBHOOK_SECRETS": "new, old",
}  # fmt: skip


def test_each_folder_is_a_provider():
    assert known() == ["fincra", "flutterwave", "paystack", "sandbox"]


@pytest.mark.parametrize(
    ("values", "production", "slugs"),
    [
        ({}, False, ["sandbox"]),
        ({}, True, []),
        ({"PAYSTACK_SECRET_KEY": "sk_test_1"}, False, ["sandbox", "paystack"]),
        ({"PAYSTACK_SECRET_KEY": "sk_live_1"}, True, ["paystack"]),
        ({"PAYSTACK_SECRET_KEY": " "}, True, []),
        ({"FINCRA_API_KEY": "k"}, True, ["fincra"]),
        ({"PROVIDERS": "sandbox"}, True, ["sandbox"]),
        ({"PROVIDERS": "paystack, sandbox"}, False, ["paystack", "sandbox"]),
        ({"PROVIDERS": "fincra", "PAYSTACK_SECRET_KEY": "sk_test_1"}, False, ["fincra"]),
    ],
)
def test_the_environment_enables_providers(values, production, slugs):
    assert list(enabled(values, production=production)) == slugs


def test_a_name_that_no_provider_has_is_refused():
    with pytest.raises(ValueError, match=r"stripe.*fincra, flutterwave, paystack, sandbox"):
        enabled({"PROVIDERS": "stripe"}, production=False)


@pytest.mark.parametrize(
    ("values", "mode"),
    [
        ({"PAYSTACK_SECRET_KEY": "sk_live_1"}, "live"),
        ({"PAYSTACK_SECRET_KEY": "sk_test_1"}, "test"),
        ({"FLUTTERWAVE_SECRET_KEY": "FLWSECK-1-X"}, "live"),
        ({"FLUTTERWAVE_SECRET_KEY": "FLWSECK_TEST-1-X"}, "test"),
        (FINCRA, "test"),
        (FINCRA | {"FINCRA_BASE_URL": "https://api.fincra.com/"}, "live"),
        (FINCRA | {"FINCRA_BASE_URL": "http://127.0.0.1:9000/fincra"}, "test"),
    ],
)
def test_keys_and_addresses_tell_real_money_from_play_money(values, mode):
    *_, (_path, options) = enabled(values, production=False).values()
    assert options["mode"] == mode


def test_fincra_is_live_in_production():
    assert enabled(FINCRA, production=True)["fincra"][1]["base_url"] == "https://api.fincra.com"


def test_secrets_of_webhooks_are_a_list_and_those_of_paystack_its_key():
    assert enabled(FINCRA, production=True)["fincra"][1]["webhook_secrets"] == ["new", "old"]
    options = enabled({"PAYSTACK_SECRET_KEY": "sk_test_1"}, production=True)["paystack"][1]
    assert options["webhook_secrets"] == ["sk_test_1"]


@pytest.mark.parametrize(
    ("slug", "missing"),
    [
        ("sandbox", []),
        ("paystack", ["PAYSTACK_SECRET_KEY"]),
        ("flutterwave", ["FLUTTERWAVE_SECRET_KEY", "FLUTTERWAVE_WEBHOOK_SECRETS"]),
        ("fincra", ["FINCRA_API_KEY", "FINCRA_PUBLIC_KEY", "FINCRA_BUSINESS_ID", "FINCRA_WEBHOOK_SECRETS"]),
    ],
)
def test_what_a_provider_lacks_is_named(slug, missing):
    _path, options = enabled({"PROVIDERS": slug}, production=False)[slug]
    assert lacking(slug, options) == missing


def test_every_enabled_provider_can_be_made():
    registry = Registry(enabled({"PROVIDERS": "paystack,flutterwave,fincra"}, production=False))
    for slug in ("paystack", "flutterwave", "fincra"):
        assert registry.get(slug).slug == slug
        assert registry.get(slug) is registry.get(slug)
    with pytest.raises(NoSuchProvider):
        registry.get("sandbox")


def test_adapters_know_no_django():
    names = [f"wallets.providers.{slug}.adapter" for slug in ("paystack", "flutterwave", "fincra")]
    script = f"import sys, {', '.join(names)}; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
