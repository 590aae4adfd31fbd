"""What belongs to the request in hand, for code too deep to be passed it."""

from contextvars import ContextVar

# Set by the middleware, empty outside a request; read by the audit trail.
request_id: ContextVar[str] = ContextVar("request_id", default="")
