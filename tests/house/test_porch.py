"""The porch: what a plugin may use is listed, sorted, and nothing else is visible."""

import types

import aphub.api


def test_the_list_is_sorted_and_has_no_doubles():
    def kind(name: str) -> int:
        """Put constants first, then classes, then functions, as the linter does."""
        return 0 if name.isupper() else 1 if name[0].isupper() else 2

    assert aphub.api.__all__ == sorted(set(aphub.api.__all__), key=lambda name: (kind(name), name))


def test_the_list_names_all_that_is_visible_and_no_more():
    visible = {
        name
        for name, value in vars(aphub.api).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    assert visible == set(aphub.api.__all__)
