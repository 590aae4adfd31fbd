"""Idempotency on the wire: reading the key, replaying the answer, and binding refusals that depended on state."""

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any, ClassVar, cast

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.views import APIView

from users.authentication import caller_of
from users.validation import ValidationError
from wallets import metrics
from wallets.idempotency import Answer, Claim, DuplicateRequest, once, remember

FIELD = "idempotency_key"
_is_key = re.compile(r"[A-Za-z0-9_.:-]{1,255}").fullmatch
# A refusal with this status depended on the state of things: it is the key's answer from then on.
REFUSED = 422


class KeyMissing(Exception):
    """A request that moves money came without a key."""

    code: ClassVar[str] = "idempotency_key_missing"
    title: ClassVar[str] = "Idempotency key missing"


class KeyInvalid(Exception):
    """The key isn't one."""

    code: ClassVar[str] = "idempotency_key_invalid"
    title: ClassVar[str] = "Idempotency key invalid"


class OnceView(APIView):
    """A view whose POST moves money: it validates first, then acts once for its key."""

    def once(
        self, request: Request, act: Callable[[], tuple[int, Any]], location: str = "", *, pipelined: bool = False
    ) -> HttpResponse:
        """Answer with what `act` answers (a status and a body), or with what it answered the first time.

        `act` runs inside one durable transaction, which may be `pipelined`. `location` is the path of what was made,
        with {id} in it.
        """
        claim = claim_of(request)
        try:
            answer = once(claim, lambda: encoded(*act()), now=timezone.now(), pipelined=pipelined)
        except Exception as error:
            answer = remember(claim, self.refusal(error), now=timezone.now())
        return self.answered(request, answer, location)

    def answered(self, request: Request, answer: Answer, location: str = "") -> HttpResponse:
        """The answer on the wire. Raises DuplicateRequest for a replay that the client doesn't want."""
        if answer.replayed and request.META.get("HTTP_IDEMPOTENCY_MODE", "").strip().lower() == "conflict":
            raise DuplicateRequest(original_status=answer.status, original_response=msgspec.Raw(answer.body))
        return _response(answer, location)

    def refusal(self, error: Exception) -> Answer:
        """The answer for a refusal that is to be kept for its key; anything else is raised again."""
        response = self.get_exception_handler()(error, self.get_exception_handler_context())
        if (
            response is None
            or response.status_code != REFUSED
            or getattr(error, "code", "") == "idempotency_key_reused"
        ):
            raise error
        metrics.refused(getattr(error, "code", ""))
        return Answer(REFUSED, response.content)


def body_of(request: Request) -> dict[str, Any]:
    """The body without its key."""
    return {name: value for name, value in _data(request).items() if name != FIELD}


def claim_of(request: Request) -> Claim:
    """The caller's key and the fingerprint of what they want. Raises KeyMissing, KeyInvalid and ValidationError."""
    content = {
        "method": request.method,
        "route": request.resolver_match.route if request.resolver_match else request.path,
        "path": {name: str(value) for name, value in request.parser_context["kwargs"].items()},
        "body": body_of(request),
    }
    fingerprint = sha256(msgspec.json.encode(content, order="deterministic")).digest()
    return Claim(caller_of(request).key, _key(request), fingerprint)


def _key(request: Request) -> str:
    header, field = request.META.get("HTTP_IDEMPOTENCY_KEY"), _data(request).get(FIELD)
    if header is not None:
        header = header[1:-1] if len(header) > 1 and header[0] == header[-1] == '"' else header
    if header is not None and field is not None and header != field:
        raise ValidationError.on(FIELD, "conflict", "The header and the body name two keys; send one.")
    key = field if header is None else header
    if key is None:
        raise KeyMissing("Send an Idempotency-Key header: a fresh one for each new request, the same for a retry.")
    if not isinstance(key, str) or not _is_key(key):
        raise KeyInvalid("A key is 1 to 255 letters, digits, and _ . : -")
    return key


def _data(request: Request) -> dict[str, Any]:
    """The body: the strict parser lets nothing but an object through."""
    return cast(dict[str, Any], request.data)


def encoded(status: int, body: Any) -> Answer:
    return Answer(status, msgspec.json.encode(body))


def _response(answer: Answer, location: str) -> HttpResponse:
    kind = "application/json" if answer.status < 400 else "application/problem+json"
    response = HttpResponse(answer.body, status=answer.status, content_type=kind)
    if answer.replayed:
        response["Idempotent-Replayed"] = "true"
    if location and answer.status < 300:
        response["Location"] = location.format(id=msgspec.json.decode(answer.body)["id"])
    return response
