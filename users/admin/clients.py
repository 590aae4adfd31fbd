"""Service clients: what they may do, and which keys they sign with. Secrets are never shown."""

from django.contrib import admin
from unfold.decorators import display

from backoffice.cells import label
from backoffice.pages import ReadOnlyAdmin, ReadOnlyInline
from users.models import ApiClient, ApiSecret


class KeysInline(ReadOnlyInline):
    """The keys by their public ids."""

    model = ApiSecret
    verbose_name_plural = "keys"
    fields = ("key_id", "slot", "state", "created_at", "revoked_at")
    readonly_fields = ("state",)
    ordering = ("-created_at",)

    @display(description="state")
    def state(self, secret: ApiSecret) -> str:
        return label("Revoked") if secret.revoked_at else label("Live", "success")


@admin.register(ApiClient)
class ApiClientAdmin(ReadOnlyAdmin):
    list_display = ("name", "scopes_shown", "state", "created_at")
    list_filter = ("is_active",)
    ordering = ("name",)
    search_texts = ("name__startswith", "secrets__key_id")
    search_help_text = "ID, key ID, or how the name begins"
    fieldsets = ((None, {"fields": ("whole_id", "name", "scopes_shown", "state", "created_at")}),)
    inlines = (KeysInline,)

    @display(description="scopes")
    def scopes_shown(self, client: ApiClient) -> str:
        return ", ".join(client.scopes) or "none"

    @display(description="state")
    def state(self, client: ApiClient) -> str:
        return label("Active", "success") if client.is_active else label("Off", "danger")
