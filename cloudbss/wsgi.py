"""The WSGI application of the web process."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from core.statement_limit import limit_statements

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudbss.settings.production")

application = get_wsgi_application()
limit_statements(settings.WEB_STATEMENT_SECONDS)
