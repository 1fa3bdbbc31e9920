"""The container's files: the linter that editors use finds nothing, and they agree with the program."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from claude_openai_proxy.settings.table import SETTINGS

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINT = """
const { readFileSync } = require("node:fs");
const { validate } = require("dockerfile-utils");
console.log(JSON.stringify(validate(readFileSync(process.argv[1], "utf8")).map((found) => found.message)));
"""

LINT_COMPOSE = """
const { DCLinter } = require("dclint");
const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
const [found] = linter.lintFiles([process.argv[1]], false);
console.log(JSON.stringify(found.messages));
"""
MATTERS_OF_TASTE = {
    "no-quotes-in-volumes", "require-project-name-field", "require-quotes-in-ports", "service-keys-order",
    "services-alphabetical-order", "top-level-properties-order",
    # Of the other programs, the newest: these are examples.
    "service-image-require-explicit-tag",
}  # fmt: skip


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    run = subprocess.run(
        [node, "-e", LINT, str(ROOT / "Dockerfile")], capture_output=True, text=True, timeout=60, check=False
    )
    if "Cannot find module 'dockerfile-utils'" in run.stderr:
        pytest.skip("the Node package 'dockerfile-utils' is not installed")

    assert (json.loads(run.stdout), run.stderr) == ([], "")


@pytest.mark.parametrize("file", ["compose.yaml", "deploy/compose.postgres.yaml"])
def test_the_linter_finds_nothing_in_the_compose_files(file: str) -> None:
    """By the schema of Compose, and by rules for mistakes; how keys are sorted and quoted is ours to choose."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    run = subprocess.run(
        [node, "-e", LINT_COMPOSE, str(ROOT / file)], capture_output=True, text=True, timeout=60, check=False
    )
    if "Cannot find module 'dclint'" in run.stderr:
        pytest.skip("the Node package 'dclint' is not installed")

    assert run.returncode == 0, run.stderr
    found = [(one["rule"], one["message"]) for one in json.loads(run.stdout) if one["rule"] not in MATTERS_OF_TASTE]
    assert found == []


def test_it_runs_as_nobody_in_particular_and_can_run_read_only() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    volumes = re.findall(r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE)

    assert users == ["10001"]
    assert volumes == ['["/state"]']
    assert "PYTHONDONTWRITEBYTECODE=1" in DOCKERFILE


def test_what_an_image_is_built_from_is_there_and_not_ignored() -> None:
    ignored = {line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] not in "#!"}
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE) for word in line.split()
    ]

    assert copied == ["pyproject.toml", "README.md", "LICENSE", "src"]
    assert all((ROOT / name).exists() and name not in ignored for name in copied)


def test_the_compose_file_sets_what_the_program_reads() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    proxy = services["proxy"]
    names = {setting.name for setting in SETTINGS} | {f"{setting.name}_FILE" for setting in SETTINGS if setting.secret}

    assert set(proxy["environment"]) <= names
    assert proxy["read_only"]
    assert all(port.startswith("127.0.0.1:") for port in proxy["ports"])
    assert services["open-webui"]["environment"]["OPENAI_API_BASE_URL"] == "http://proxy:3000/v1"
    assert proxy["environment"]["ALLOWED_HOSTS"] == "proxy"


def test_the_compose_file_of_several_proxies_sets_what_the_program_reads() -> None:
    document = yaml.safe_load((ROOT / "deploy" / "compose.postgres.yaml").read_text(encoding="utf-8"))
    services, nginx = document["services"], (ROOT / "deploy" / "nginx.several.conf").read_text(encoding="utf-8")
    proxies = [services["proxy-one"], services["proxy-two"]]
    names = {setting.name for setting in SETTINGS} | {f"{setting.name}_FILE" for setting in SETTINGS if setting.secret}

    volumes = [proxy.pop("volumes") for proxy in proxies]
    assert volumes == [["state-one:/state"], ["state-two:/state"]], "rows that are not sent yet outlive a container"
    assert set(document["volumes"]) == {"database", "state-one", "state-two"}
    assert proxies[0] == proxies[1]
    assert set(proxies[0]["environment"]) <= names
    assert {f"/run/secrets/{name}" for name in proxies[0]["secrets"]} == {
        value for name, value in proxies[0]["environment"].items() if name.endswith("_FILE")
    }
    assert set(document["secrets"]) == {*proxies[0]["secrets"], *services["database"]["secrets"]}
    assert re.findall(r"server (proxy-\w+):3000", nginx) == ["proxy-one", "proxy-two"]
    assert all(port.startswith("127.0.0.1:") for port in services["nginx"]["ports"])
    assert "ports" not in proxies[0]
    assert "ports" not in services["database"]


def test_the_image_is_built_and_answers(tmp_path: Path) -> None:
    engine = shutil.which("docker") or shutil.which("podman")
    if engine is None or subprocess.run([engine, "info"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no container engine runs here")
    pytest.skip("the base image cannot be had") if not _built(engine) else None
    run = subprocess.run(
        [engine, "run", "--rm", "--read-only", "--tmpfs", "/tmp", "proxy-under-test", "--version"],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        timeout=120,
        check=True,
    )

    assert run.stdout.startswith("claude-openai-proxy ")


def _built(engine: str) -> bool:
    return (
        subprocess.run(
            [engine, "build", "--quiet", "-t", "proxy-under-test", str(ROOT)], capture_output=True, check=False
        ).returncode
        == 0
    )
