"""How many examples Hypothesis tries: a third by default, all with `--hypothesis-profile thorough`."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

ALL = 60  # where a test says nothing else


def examples(most: int) -> int:
    """What is tried of so many under the profile that is in use."""
    return most if settings.get_current_profile_name() == "thorough" else max(most // 3, 4)


def register(derandomize: bool) -> None:
    """Registers both profiles, and loads the quick one."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    for name, most in (("gatescope", ALL // 3), ("thorough", ALL)):
        settings.register_profile(name, deadline=None, max_examples=most, derandomize=derandomize, suppress_health_check=checks)
    settings.load_profile("gatescope")
