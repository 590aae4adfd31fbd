"""Who calls, in the back office, to look at: people, services and the audit trail."""

from django.contrib import admin
from django.contrib.auth.models import Group

from users.admin import clients, people, trail

__all__ = ["clients", "people", "trail"]

# Django's own page of groups writes.
admin.site.unregister(Group)
