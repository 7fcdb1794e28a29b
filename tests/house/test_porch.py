"""The porch: what a plugin may use is listed, sorted, and nothing else is visible."""

import types

import pytest

import aphub.api
import aphub.api.mis

PORCHES = pytest.mark.parametrize("porch", [aphub.api, aphub.api.mis], ids=["api", "api.mis"])


@PORCHES
def test_the_list_is_sorted_and_has_no_doubles(porch):
    def kind(name: str) -> int:
        """Put constants first, then classes, then functions, as the linter does."""
        return 0 if name.isupper() else 1 if name[0].isupper() else 2

    assert porch.__all__ == sorted(set(porch.__all__), key=lambda name: (kind(name), name))


@PORCHES
def test_the_list_names_all_that_is_visible_and_no_more(porch):
    visible = {
        name
        for name, value in vars(porch).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    assert visible == set(porch.__all__)
