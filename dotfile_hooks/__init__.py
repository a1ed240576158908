"""The project: settings, URLs, Celery, and what starts servers for development."""

from .celery import app as celery_app

__all__ = ["celery_app"]
__version__ = "1.0.0"
