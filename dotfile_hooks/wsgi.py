"""The WSGI application that gunicorn serves."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from workspaces import utf8

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotfile_hooks.settings")
application = utf8.whatever_is_claimed(get_wsgi_application())
