"""What works, but not as it was meant or not safely, is told; and of mistakes all, not the first alone."""

from pathlib import Path

import pytest

from claude_openai_proxy.settings import Flags, SettingsError, load_settings


def warned(cwd: Path, dotenv: str = "", *, mode: int = 0o600, **environment: str) -> tuple[str, ...]:
    (cwd / ".env").write_text(dotenv, encoding="utf-8")
    (cwd / ".env").chmod(mode)
    return load_settings(Flags(), environment, cwd).warnings


@pytest.mark.parametrize(
    ("line", "meant"),
    [("PROT=3012", "PORT"), ("port=1", "PORT"), ("ANTHROPIC_APIKEY=k", "ANTHROPIC_API_KEY"),
     ("LOGLEVEL=x", "LOG_LEVEL"), ("MODEL_ALIAS=a=opus", "MODEL_ALIASES"), ("CLAUDE_POOLSIZE=", "CLAUDE_POOL_SIZE")],
)  # fmt: skip
def test_a_misspelt_name_is_told_with_the_one_that_is_meant(tmp_path: Path, line: str, meant: str) -> None:
    name = line.partition("=")[0]

    assert warned(tmp_path, f"# mine\n\n{line}\n") == (
        f"{name} in .env (line 3) is not a setting: did you mean {meant}?",
    )


def test_other_programs_names_are_their_own_business(tmp_path: Path) -> None:
    assert warned(tmp_path, "DATABASE_URL=x\nREDIS_HOST=y\nDEBUG=1\nOPENAI_API_KEY=k\nOPENAI_BASE_URL=u\n") == ()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE", "CLAUDE_CODE_OAUTH_TOKEN"])
def test_what_works_from_the_environment_only_is_told(tmp_path: Path, name: str) -> None:
    assert warned(tmp_path, f"{name}=x\n") == (
        f"{name} in .env (line 1) has no effect: it is read from the environment only.",
    )


def test_a_socks_proxy_that_is_not_used_is_told(tmp_path: Path) -> None:
    (warning,) = warned(tmp_path, ALL_PROXY="socks5://127.0.0.1:1080")

    assert "SOCKS proxy, which is not supported; an HTTP proxy is" in warning
    assert warned(tmp_path, all_proxy="socks5://127.0.0.1:1080", HTTPS_PROXY="http://127.0.0.1:3128") == ()


def test_a_socks_proxy_where_an_http_proxy_belongs_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"SOCKS is not supported; an HTTP proxy is\. Allowed: http://host:port\.$"):
        warned(tmp_path, HTTPS_PROXY="socks5h://127.0.0.1:1080")


def test_a_file_with_a_key_that_everybody_can_read_is_told(tmp_path: Path) -> None:
    (warning,) = warned(tmp_path, "ANTHROPIC_API_KEY=k\n", mode=0o644)

    assert warning == "Every user of this machine can read .env, which has ANTHROPIC_API_KEY: chmod 600 .env"
    assert warned(tmp_path, "PORT=1\n", mode=0o644) == ()


def test_a_short_key_on_a_public_address_is_told_by_its_name(tmp_path: Path) -> None:
    long = "laptop:0123456789abcdef"

    (warning,) = warned(tmp_path, PROXY_API_KEYS=f"a,{long}", PROXY_HOST="0.0.0.0")

    assert warning.startswith("PROXY_API_KEYS: key-1 has fewer than 16 characters")
    assert warned(tmp_path, PROXY_API_KEYS=long, PROXY_HOST="0.0.0.0") == ()
    assert warned(tmp_path, PROXY_API_KEYS="a") == ()


def test_all_bad_values_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        warned(tmp_path, "PORT=x\nLOG_LEVEL=loud\n", HTTPS_PROXY="ftp://a", SSL_CERT_FILE="/none")

    assert [problem.split(" ")[0] for problem in refused.value.problems] == [
        "PORT", "LOG_LEVEL", "HTTPS_PROXY", "SSL_CERT_FILE",
    ]  # fmt: skip


def test_all_lines_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        warned(tmp_path, "= one\nPORT=1\n= two\n")

    assert refused.value.problems == (
        ".env cannot be read: line 1 is not NAME=value.",
        ".env cannot be read: line 3 is not NAME=value.",
    )
