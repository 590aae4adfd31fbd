"""The project: composes the apps and is imported by none of them."""

from walletproject.celery import app as celery_app

__all__ = ["celery_app"]
