"""Whose warnings turn the tests red: our own code's, nobody else's."""

import warnings

import pytest


@pytest.mark.parametrize(
    "module", ["anthropic.resources.messages", "simulator.test_answers", "claude_openai_proxy_fork"]
)
def test_what_another_package_announces_fails_no_test(module: str) -> None:
    with warnings.catch_warnings(record=True) as shown:
        warnings.warn_explicit("this model ends in January", DeprecationWarning, "model.py", 1, module=module)
    assert [str(warning.message) for warning in shown] == ["this model ends in January"]


@pytest.mark.parametrize("module", ["claude_openai_proxy", "claude_openai_proxy.web.doors"])
def test_a_warning_about_our_own_code_is_an_error(module: str) -> None:
    with pytest.raises(DeprecationWarning):
        warnings.warn_explicit("use the other one", DeprecationWarning, "doors.py", 1, module=module)


@pytest.mark.parametrize("category", [ResourceWarning, RuntimeWarning, pytest.PytestUnraisableExceptionWarning])
def test_something_left_open_or_never_awaited_is_an_error_wherever_it_is_seen(category: type[Warning]) -> None:
    with pytest.raises(category):
        warnings.warn_explicit("left open", category, "selectors.py", 1, module="selectors")
