"""Containers with a way out in them: it is not taken."""

from __future__ import annotations

import pytest

from tests.attacks.delivery import Delivery
from tests.attacks.ground import Ground
from tests.attacks.hostile_containers import CONTAINERS
from tests.attacks.hostile_files import HostileFile
from tests.harness.customer import Customer
from tests.harness.far_end import FarEnd

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("file", CONTAINERS, ids=lambda file: file.id)
def test_what_it_leads_to_is_left_alone(
    ground: Ground, alice: Customer, far_end: FarEnd, file: HostileFile
) -> None:
    Delivery(ground, alice, far_end, file).does_no_harm()
