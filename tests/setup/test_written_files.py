"""What is written for clients that cannot be run here, read by their own schema, or by a shell as they read it."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from claude_openai_proxy.setup import yaml_text
from claude_openai_proxy.setup.target import Target
from setup.test_clients import KEYED, OPEN, OWN_FILES, client

LIBRECHAT = """
const { readFileSync } = require("node:fs");
const { configSchema } = require("librechat-data-provider");
console.log(JSON.stringify(configSchema.parse(JSON.parse(readFileSync(0, "utf8"))).endpoints.custom));
"""
CRUSH = """
provider() { printf 'provider'; printf '\\t%s' "$@"; echo; }
model() { printf 'model'; printf '\\t%s' "$@"; echo; }
"""
ODD = replace(OPEN, model=replace(OPEN.model, title="$(touch made) `touch made` \"'"))
both = pytest.mark.parametrize("target", [OPEN, KEYED, ODD], ids=["open", "keyed", "odd"])


@both
def test_librechats_own_schema_knows_every_member(target: Target) -> None:
    """It drops those that it does not know. LibreChat's container takes its schema from the same package."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    document = yaml_text.load(client("librechat").write(target)(OWN_FILES["librechat"]))
    run = subprocess.run(
        [node, "-e", LIBRECHAT], input=json.dumps(document), capture_output=True, text=True, timeout=60, check=False
    )
    if "Cannot find module 'librechat-data-provider'" in run.stderr:
        pytest.skip("the Node package 'librechat-data-provider' is not installed")
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)[-1] == document["endpoints"]["custom"][-1]


@both
def test_a_shell_reads_crushs_lines_as_they_are_meant(target: Target, tmp_path: Path) -> None:
    """crush reads them by bash's rules; its commands `provider` and `model` are stand-ins."""
    script = tmp_path / "crushrc"
    script.write_text(CRUSH + client("crush").write(target)("# mine\n"), encoding="utf-8")
    run = subprocess.run(
        ["bash", "-euo", "pipefail", str(script)],
        cwd=tmp_path,
        env={"CLAUDE_OPENAI_PROXY_KEY": "a key; $(not run) 'with' \"quotes\""},
        capture_output=True,
        text=True,
        check=True,
    )
    provider, *models = (line.split("\t") for line in run.stdout.splitlines())
    assert provider[:3] == ["provider", "add", "claude-openai-proxy"]
    assert dict(zip(provider[3::2], provider[4::2], strict=True)) == {
        "--type": "openai-compat",
        "--base-url": target.base_url,
        "--api-key": "a key; $(not run) 'with' \"quotes\"" if target.key else "any",
    }
    assert [model[2] for model in models] == [f"claude-openai-proxy/{model.id}" for model in target.offered]
    for model, offered in zip(models, target.offered, strict=True):
        assert dict(zip(model[3::2], model[4::2], strict=True)) == {
            "--name": offered.title,
            "--context-window": str(offered.context),
            "--default-max-tokens": str(offered.output),
        }
    assert [path.name for path in tmp_path.iterdir()] == ["crushrc"]
