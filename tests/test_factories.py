"""Every model has a factory, and what it makes is a row that could be the product's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import models
from factory.django import DjangoModelFactory
from pytest_django import Settings

from accounts.models import AuditSealer
from tests import factories

_OUR_APPS = ("accounts", "storage", "media_jobs")
_ONE_ROW = {AuditSealer}
_Factory = type[DjangoModelFactory[Any]]

FACTORIES = [
    each
    for each in vars(factories).values()
    if isinstance(each, type) and issubclass(each, DjangoModelFactory)
]


def _model_of(factory: _Factory) -> type[models.Model]:
    model: type[models.Model] = factory._meta.model
    return model


def test_every_model_has_exactly_one() -> None:
    ours = [
        model
        for app in _OUR_APPS
        for model in apps.get_app_config(app).get_models()
        if not model._meta.proxy
    ]
    assert len(ours) > 30
    assert sorted(map(str, map(_model_of, FACTORIES))) == sorted(map(str, ours))


def test_the_door_has_them_all() -> None:
    assert {each.__name__ for each in FACTORIES} == set(factories.__all__) - {"PASSWORD"}


def _param(factory: _Factory) -> Any:
    is_sealers = getattr(_model_of(factory), "is_sealers", False)
    marks = pytest.mark.django_db(transaction=is_sealers)
    return pytest.param(factory, id=factory.__name__, marks=marks)


@pytest.mark.parametrize("factory", [*map(_param, FACTORIES)])
def test_its_rows_are_taken(factory: _Factory, settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_SIGNING_KEY_FILE = str(tmp_path / "key.pem")
    settings.AUDIT_CHECKPOINT_DIR = str(tmp_path / "audit")
    model = _model_of(factory)
    made = [factory.create().pk for _ in range(2)]
    assert len(set(made)) == (1 if model in _ONE_ROW else 2)
    for row in model._default_manager.filter(pk__in=made):
        row.full_clean(exclude=_left_empty(row))


def _left_empty(row: models.Model) -> set[str]:
    """Those that only forms would ask for: the product leaves them empty as well."""
    return {
        field.name
        for field in row._meta.fields
        if getattr(row, field.attname) in field.empty_values
    }
