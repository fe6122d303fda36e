from __future__ import annotations

import pytest

from media_jobs.ffmpeg.codecs import _PROBED_CONTAINERS, CONTAINERS, container_of


@pytest.mark.parametrize("probed", _PROBED_CONTAINERS)
def test_a_film_never_goes_into_a_container_of_sound(probed: str) -> None:
    """It would be cut to its sound, or have no codec to be encoded with."""
    name = container_of(probed, has_video=True)
    assert name is None or CONTAINERS[name].video


@pytest.mark.parametrize("probed", _PROBED_CONTAINERS)
def test_a_sound_goes_into_one_that_holds_sound(probed: str) -> None:
    name = container_of(probed, has_video=False)
    assert name is not None
    assert CONTAINERS[name].audio or probed == "gif"
