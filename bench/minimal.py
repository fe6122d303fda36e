"""A Django project of one view, the yardstick of our requests: it inserts a row and answers.

Served by ``gunicorn bench.minimal:application``, with threads, into the database of the benchmark's
site; ``MINIMAL_DATABASE`` is the folder of its socket.
"""

from __future__ import annotations

import os
import secrets
from typing import ClassVar

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["MINIMAL_DATABASE"],
            "NAME": "postgres",
            "USER": "postgres",
            "CONN_MAX_AGE": None,
        }
    },
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
    ROOT_URLCONF="bench.minimal",
    SECRET_KEY=secrets.token_hex(),
)
django.setup()

from django.core.wsgi import get_wsgi_application  # noqa: E402 -- reads the settings made above
from django.db import connection, models  # noqa: E402 -- as above
from django.urls import path  # noqa: E402 -- as above
from rest_framework.generics import CreateAPIView  # noqa: E402 -- as above
from rest_framework.serializers import ModelSerializer  # noqa: E402 -- as above


def _row_id() -> str:
    return f"row_{secrets.token_hex(13)}"


class Row(models.Model):
    """The columns of a job that its submit fills."""

    id = models.CharField(primary_key=True, max_length=32, default=_row_id)
    tenant = models.CharField(max_length=32)
    operation = models.CharField(max_length=64)
    params = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    status = models.CharField(max_length=10, default="queued", db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager[Row]] = models.Manager()

    class Meta:
        app_label = "bench"
        db_table = "bench_row"
        indexes = [models.Index(fields=["tenant", "id"], name="bench_row_of_tenant")]

    def __str__(self) -> str:
        return self.id


class RowSerializer(ModelSerializer[Row]):
    class Meta:
        model = Row
        fields = ("id", "tenant", "operation", "params", "status", "created_at")
        read_only_fields = ("id", "status", "created_at")


class Insert(CreateAPIView[Row]):
    queryset = Row.objects.all()
    serializer_class = RowSerializer
    authentication_classes = ()
    permission_classes = ()


urlpatterns = [path("rows", Insert.as_view())]
application = get_wsgi_application()

if Row._meta.db_table not in connection.introspection.table_names():  # noqa: SLF001 -- public
    with connection.schema_editor() as editor:
        editor.create_model(Row)
connection.close()
