# syntax=docker/dockerfile:1
# One image for web server and slots; compose.yml in deploy/ shows them together.

ARG PYTHON_IMAGE=python:3.11.14-slim-bookworm

FROM ${PYTHON_IMAGE} AS dependencies
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --require-hashes -r requirements.txt

FROM ${PYTHON_IMAGE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends bubblewrap fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent ffapi \
    && install -d -o ffapi -g ffapi -m 0750 /data
COPY --from=dependencies /opt/venv /opt/venv
WORKDIR /srv/ffapi
COPY manage.py ./
COPY accounts accounts
COPY ffapi_site ffapi_site
COPY media_jobs media_jobs
COPY storage storage
COPY static static
COPY templates templates
COPY docs/errors.md docs/errors.md
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/srv/ffapi \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=ffapi_site.settings \
    FFAPI_BIND=0.0.0.0 \
    FFAPI_DATA_DIR=/data \
    FFAPI_STATIC_DIR=/srv/ffapi/staticfiles
# The secrets that settings make without a database are thrown away with the folder.
RUN python -m compileall -q accounts ffapi_site media_jobs storage \
    && FFAPI_DATA_DIR=/tmp/build python manage.py collectstatic --no-input -v 0 \
    && rm -rf /tmp/build
USER ffapi
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["python", "-m", "ffapi_site.serving.health"]
CMD ["gunicorn", "-c", "python:ffapi_site.serving.web"]
