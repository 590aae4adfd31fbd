"""What only the admin site needs: sessions, CSRF, sign-in and messages, kept away from the API."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.utils.module_loading import import_string

ADMIN_PATH = "/admin/"


def is_admin(request: HttpRequest) -> bool:
    """Whether the request is for the back office, which answers in HTML."""
    return request.path_info.startswith(ADMIN_PATH)


class AdminOnlyMiddleware:
    """Runs `settings.ADMIN_MIDDLEWARE` for paths of the admin, and nothing at all for others."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        chain: Callable[[HttpRequest], Any] = get_response
        self.view_hooks: list[Callable[..., HttpResponse | None]] = []
        for path in reversed(settings.ADMIN_MIDDLEWARE):
            middleware = import_string(path)(chain)
            if hasattr(middleware, "process_view"):
                self.view_hooks.insert(0, middleware.process_view)
            chain = convert_exception_to_response(middleware)
        self.admin_chain = chain

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.admin_chain(request) if is_admin(request) else self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Where the CSRF token is checked: Django calls this hook only on middleware that it knows."""
        if not is_admin(request):
            return None
        answers = (hook(request, view, args, kwargs) for hook in self.view_hooks)
        return next((response for response in answers if response is not None), None)
