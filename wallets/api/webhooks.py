"""Where providers deliver: the signature is the only credential, and the raw bytes are all that is looked at."""

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from users.api.schema import operation
from wallets.webhooks import intake


class WebhookView(APIView):
    # Nobody logs in here, and nobody is slowed down: deliveries come in bursts from few addresses. Those that are
    # refused count against their address, as every refused authentication does.
    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @operation(
        summary="Deliver a provider's webhook", answers={200: None}, tags=("webhooks",),
        errors=(401, 404, 413, 429, 503),
    )  # fmt: skip
    def post(self, request: Request, provider: str) -> HttpResponse:
        """For providers: signed as each of them signs. 200 means stored; a repeat is 200 again, and stored once."""
        # Django's own request: Django REST framework would read the bytes as JSON.
        raw = request._request
        length = raw.META.get("CONTENT_LENGTH") or ""
        if (length.isdecimal() and int(length) > intake.BODY_LIMIT) or len(raw.body) > intake.BODY_LIMIT:
            raise intake.BodyTooLarge
        headers = {name.lower(): value for name, value in raw.headers.items()}
        intake.take(provider, headers, raw.body, now=timezone.now())
        return HttpResponse(status=200)
