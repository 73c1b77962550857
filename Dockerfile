# One image for web, worker, scheduler, migration and the vendor twins; docker-compose.yml shows how each is started.
FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    DJANGO_SETTINGS_MODULE=cloudbss.settings.production \
    CLOUDBSS_HOME=/var/lib/cloudbss

RUN groupadd --system --gid 10001 cloudbss \
    && useradd --system --uid 10001 --gid cloudbss --home-dir /var/lib/cloudbss --create-home --shell /usr/sbin/nologin cloudbss

WORKDIR /srv/cloudbss
COPY requirements/base.txt requirements/base.txt
RUN pip install --require-hashes -r requirements/base.txt
COPY . .
RUN python -m cloudbss.texts

# No key is needed to collect the static files, so none gets into a layer.
RUN python manage.py collectstatic --no-input --verbosity 0

USER cloudbss
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "cloudbss.healthcheck"]
CMD ["gunicorn", "--config", "cloudbss/gunicorn.py", "--bind", "0.0.0.0:8000", "cloudbss.wsgi"]
