from users.models.audit import AuditEvent
from users.models.clients import ApiClient, ApiSecret, SignatureNonce
from users.models.factors import Authenticator, RecoveryCode, StaffSession
from users.models.people import User
from users.models.tokens import RefreshToken

__all__ = [
    "ApiClient", "ApiSecret", "AuditEvent", "Authenticator", "RecoveryCode", "RefreshToken", "SignatureNonce",
    "StaffSession", "User",
]  # fmt: skip
