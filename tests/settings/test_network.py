"""Proxies and certificates are taken from the environment, in both cases."""

from pathlib import Path

import pytest

from claude_openai_proxy.settings import Flags, NetworkSettings, SettingsError, load_settings


def network(environment: dict[str, str], cwd: Path, *, demo: bool = False) -> NetworkSettings:
    return load_settings(Flags(demo=demo), environment, cwd).network


def test_nothing_set_is_nothing_used(tmp_path: Path) -> None:
    assert network({}, tmp_path) == NetworkSettings()


def test_proxies_are_read_in_both_cases_and_lower_case_wins(tmp_path: Path) -> None:
    found = network(
        {"HTTPS_PROXY": "http://a:1", "https_proxy": "b:2", "http_proxy": "http://c", "NO_PROXY": "d"}, tmp_path
    )

    assert (found.https_proxy, found.http_proxy) != (None, None)
    assert found.https_proxy is not None
    assert found.https_proxy.reveal() == "http://b:2"
    assert found.no_proxy == "d"


@pytest.mark.parametrize("url", ["socks5://u:pass@a:1", "https://a:1", "http://", "http://a:0"])
def test_a_proxy_of_another_kind_is_refused_without_showing_its_password(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match=r"^HTTPS_PROXY from the environment is not allowed") as refused:
        network({"HTTPS_PROXY": url}, tmp_path)

    assert "pass" not in str(refused.value)


def test_certificate_places_must_exist(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()

    found = network({"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "ssl_cert_dir": str(tmp_path)}, tmp_path)

    assert (found.ssl_cert_file, found.ssl_cert_dir) == (tmp_path / "ca.pem", tmp_path)
    with pytest.raises(SettingsError, match=r"^SSL_CERT_FILE from the environment is .*, which is not a file\.$"):
        network({"SSL_CERT_FILE": str(tmp_path / "none.pem")}, tmp_path)
    with pytest.raises(SettingsError, match=r"^SSL_CERT_DIR from the environment is .*, which is not a directory\.$"):
        network({"SSL_CERT_DIR": str(tmp_path / "none")}, tmp_path)


def test_the_demo_needs_no_network_and_does_not_mind_what_is_set(tmp_path: Path) -> None:
    assert network({"HTTPS_PROXY": "socks5://a:1"}, tmp_path, demo=True) == NetworkSettings()
