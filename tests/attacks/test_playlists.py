"""Lists of other files that call themselves media: nobody follows them, and nobody takes them."""

from __future__ import annotations

import pytest

from tests.attacks.delivery import Delivery
from tests.attacks.ground import Ground
from tests.attacks.hostile_files import (
    ANOTHERS_FILM,
    OF_HLS,
    OF_PROTOCOLS,
    OF_SCRIPTS,
    HostileFile,
    filled,
    segment,
)
from tests.harness.customer import Customer
from tests.harness.far_end import FarEnd

pytestmark = pytest.mark.slow


def _id(file: HostileFile) -> str:
    return file.id


@pytest.mark.parametrize("file", ANOTHERS_FILM, ids=_id)
def test_another_tenants_film(
    ground: Ground, alice: Customer, far_end: FarEnd, file: HostileFile
) -> None:
    Delivery(ground, alice, far_end, file).is_never_taken()


@pytest.mark.parametrize("scheme", ["", "file://", "file:", "/proc/self/root"])
def test_another_tenants_film_in_the_storage(
    ground: Ground, alice: Customer, far_end: FarEnd, scheme: str
) -> None:
    """By its true path, which no tenant knows."""
    file = HostileFile("stolen", filled(segment(f"{scheme}{ground.stolen}")))
    Delivery(ground, alice, far_end, file).is_never_taken()


@pytest.mark.parametrize("file", OF_HLS, ids=_id)
def test_hls(ground: Ground, alice: Customer, far_end: FarEnd, file: HostileFile) -> None:
    Delivery(ground, alice, far_end, file).is_never_taken()


@pytest.mark.parametrize("file", OF_PROTOCOLS, ids=_id)
def test_protocols_inside_hls(
    ground: Ground, alice: Customer, far_end: FarEnd, file: HostileFile
) -> None:
    Delivery(ground, alice, far_end, file).is_never_taken()


@pytest.mark.parametrize("file", OF_SCRIPTS, ids=_id)
def test_scripts_and_manifests(
    ground: Ground, alice: Customer, far_end: FarEnd, file: HostileFile
) -> None:
    Delivery(ground, alice, far_end, file).is_never_taken()
