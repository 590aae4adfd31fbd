"""The keys that the simulator takes. They open nothing but the simulator, and are no secrets."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keys:
    """Of each provider what its dashboard would show."""

    paystack_secret: str = "sk_test_simulator"
    flutterwave_secret: str = "FLWSECK_TEST-simulator"
    flutterwave_hash: str = "simulator-secret-hash"
    fincra_secret: str = "fincra-simulator-secret"
    fincra_public: str = "fincra-simulator-public"
    fincra_webhook: str = "fincra-simulator-webhook"
    fincra_business: str = "64f1c2a4b7d9e30012ab4567"
