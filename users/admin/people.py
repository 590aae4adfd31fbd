"""People: customers and staff. Passwords and tokens are never shown."""

from django.contrib import admin
from django.db.models import Q
from unfold.decorators import display

from backoffice.cells import label
from backoffice.pages import ReadOnlyAdmin
from users.models import User


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("email", "full_name", "state", "role", "date_joined", "last_login")
    list_filter = ("is_active", "is_staff")
    ordering = ("-id",)
    search_texts = ("email__startswith",)
    search_help_text = "ID, or how the email begins"
    fieldsets = (
        (None, {"fields": ("whole_id", "email", "full_name", "state", ("date_joined", "last_login"))}),
        ("Back office", {"fields": ("role", "groups", "user_permissions")}),
    )

    def search(self, term: str) -> Q:
        return super().search(term.lower())

    @display(description="state")
    def state(self, user: User) -> str:
        return label("Active", "success") if user.is_active else label("Closed")

    @display(description="role")
    def role(self, user: User) -> str:
        if user.is_superuser:
            return label("Superuser", "warning")
        return label("Staff", "info") if user.is_staff else label("Customer")
