from __future__ import annotations

import pytest

from accounts.keys import networks


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("192.0.2.1", "192.0.2.1/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::1", "::1/128"),
    ],
)
def test_it_works(given: str, kept: str) -> None:
    assert str(networks.network(given)) == kept


@pytest.mark.parametrize(
    "given",
    ["", "10.0.0.1/8", "10.0.0.0/33", "host", "10.0.0", "::ffff:10.0.0.1", "::/0", "1", "fe80::%e"],
)
def test_what_is_no_network_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        networks.network(given)


@pytest.mark.parametrize(
    ("inner", "outer", "is_within"),
    [
        ([], [], True),
        (["10.0.0.0/8"], [], True),
        ([], ["10.0.0.0/8"], False),
        (["10.1.0.0/16"], ["10.0.0.0/8"], True),
        (["10.0.0.0/8"], ["10.1.0.0/16"], False),
        (["10.1.0.0/16", "192.0.2.1/32"], ["10.0.0.0/8"], False),
        (["2001:db8:1::/48"], ["10.0.0.0/8", "2001:db8::/32"], True),
        (["::/1"], ["0.0.0.0/0"], False),
    ],
)
def test_one_list_is_within_another(*, inner: list[str], outer: list[str], is_within: bool) -> None:
    assert networks.is_within(inner, outer) == is_within
