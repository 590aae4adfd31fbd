"""The door for web servers."""

import gc
import os
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from walletproject.strict_json import read_at_most

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "walletproject.settings")

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def with_length(application: Application) -> Application:
    """Give chunked bodies the length that Django asks for: it takes a body without one for no body at all."""

    def measured(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("CONTENT_LENGTH") and "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            body = read_at_most(environ["wsgi.input"], settings.BATCH_BODY_LIMIT + 1)
            environ["CONTENT_LENGTH"], environ["wsgi.input"] = str(len(body)), BytesIO(body)
        return application(environ, start_response)

    return measured


# How long a thread may go on while another one wants to (Python's own is 5 ms). A short request takes turns several
# times; beside a batch that is being read, so many waits were most of its time.
TURN_SECONDS = 0.0005
# How many more objects there must be before the collector looks for cycles (Python's own is 700). What a batch makes is
# gone by itself when it is answered; to walk through it ten times before was a fifteenth of its work.
YOUNG = 50_000


def settle() -> None:
    """Load what would be loaded by the first request, and take it out of the collector's sight. It lives as long as
    the process, and to walk through it takes a tenth of a second, in the middle of somebody's request.
    """
    get_resolver().url_patterns  # noqa: B018
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
    sys.setswitchinterval(TURN_SECONDS)


application = with_length(get_wsgi_application())
settle()
