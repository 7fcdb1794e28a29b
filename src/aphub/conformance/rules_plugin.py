"""Rules about the plugin itself: how it is found, what may be set, and what it says of itself."""

from inspect import getmembers, isfunction
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from aphub.api import ConnectionSettings, RouteSettings
from aphub.conformance.ground import Ground, rule
from aphub.conformance.quality import find_quality
from aphub.plugins import Plugins
from aphub.testing import PLANTED_SECRET


class PluginRules(Ground):
    """How it is found, what may be set, and what it says of itself."""

    @rule()
    def test_refuses_unknown_settings_and_describes_each_one(
        self, connection: ConnectionSettings, route: RouteSettings
    ) -> None:
        """A misspelt key is an error, nothing changes after validation, and every field says what it is."""
        for settings in (connection, route):
            cls: type[BaseModel] = type(settings)
            undescribed = [name for name, field in cls.model_fields.items() if not field.description]
            assert not undescribed, f"These settings of {cls.__name__} have no description: {undescribed}"
            assert cls.model_config.get("frozen"), f"{cls.__name__} can be changed after validation."
            values = dict(settings) | {"no_such_setting": 1}
            with pytest.raises(ValidationError) as refused:
                cls.model_validate(values)
            locations = {error["loc"] for error in refused.value.errors()}
            assert ("no_such_setting",) in locations, (
                f"{cls.__name__} accepts a setting that it does not know."
            )
            assert PLANTED_SECRET not in str(refused.value), "The refusal shows a secret."

    @rule()
    def test_is_found_by_its_entry_point_under_its_own_name(self, plugins: Plugins) -> None:
        """The installed plugin registers this class, and nothing of it is quarantined."""
        found = plugins.adapters.get(self.adapter_class.name)
        assert found is self.adapter_class, (
            f"No installed plugin registers {self.adapter_class.__name__} as '{self.adapter_class.name}': "
            f"{[(one.name, one.why) for one in plugins.quarantined]}"
        )

    @rule()
    def test_says_of_every_rule_whether_it_is_done(self, request: pytest.FixtureRequest) -> None:
        """`quality.toml` mentions every rule that is owed, and gives a reason for each exemption."""
        rules = {
            name.removeprefix("test_"): f for name, f in getmembers(type(self), isfunction) if _is_rule(f)
        }
        owed = frozenset(name for name, function in rules.items() if self.owes(function))
        quality = find_quality(Path(str(request.path)))
        complaints = quality.complaints(type(self).__name__, owed, frozenset(rules))
        assert not complaints, "\n".join(
            [*complaints, "", "[rules]", *(f'{name} = "done"' for name in sorted(owed))]
        )


def _is_rule(function: object) -> bool:
    return bool(getattr(function, "conformance_rule", False))
