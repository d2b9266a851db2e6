"""Settings are typed, and unknown ones refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from api.settings import ApiSettings


def test_the_defaults_are_usable() -> None:
    settings = ApiSettings()
    assert settings.operator == "local"
    assert settings.decision_target_minutes == 30


@pytest.mark.parametrize(
    "wrong", [{"oprator": "a"}, {"operator": ""}, {"poll_seconds": 0}, {"decision_target_minutes": -1}]
)
def test_refuses_unknown_and_senseless_settings(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ApiSettings.model_validate(wrong)
