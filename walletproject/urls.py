"""Every address of the product."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView

from walletproject import health, scraping
from walletproject.errors import handler400, handler403, handler404, handler500
from wallets.sandbox_bank import pages as sandbox

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="docs")),
    path("api/v1/", include("wallets.api.urls")),
    path("api/v1/", include("users.api.urls")),
    path("api/schema", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("health", health.alive),
    path("health/ready", health.ready),
    path("metrics", scraping.scrape),
]
if "sandbox" in settings.PROVIDERS and settings.PROVIDERS["sandbox"][1]["checkout"]:
    urlpatterns.append(path("sandbox/checkout/<str:reference>", sandbox.checkout))
