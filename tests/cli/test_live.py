"""`status` and `logs`: what they show of a server that runs, with keys and without, and of none."""

import json
import signal
import urllib.request
from pathlib import Path

from cli.running import finished, running
from cli.test_keys import LOGIN, added, becomes

BODY = b'{"model":"custom-claude-4-opus","messages":[{"role":"user","content":"Hi"}]}'


def ask(port: int, *, key: str = "", agent: str = "aider/1.0", body: bytes = BODY) -> None:
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}", "user-agent": agent}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/v1/chat/completions", body, headers)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        answer.read()


def test_the_screen_of_the_demo(tmp_path: Path) -> None:
    with running("serve", "--demo", "--port", "0", home=tmp_path) as server:
        port = server.port()
        ask(port)
        run = finished("status", "--port", str(port), home=tmp_path)
        assert (run.returncode, run.stderr) == (0, "")
        lines = run.stdout.splitlines()
        assert lines[0].startswith("Claude OpenAI Proxy ")
        assert lines[0].endswith(": ok")
        assert f"at http://localhost:{port}, for " in lines[0]
        assert any(line.startswith("login       none needed (demo)") for line in lines)
        assert any(line.startswith("requests    0 with Claude, 0 in line") for line in lines)
        assert any(line.startswith("today       1 requests, 0 failed; ") for line in lines)
        assert lines[-3:] == [
            "In the last hour:",
            "KEY    CLIENT     REQUESTS  FAILED",
            "local  aider/1.0  1         0",
        ]
        assert max(map(len, lines)) <= 160
        as_json = finished("status", "--json", "--url", f"http://127.0.0.1:{port}/v1", home=tmp_path)
        assert json.loads(as_json.stdout)["clients"] == [
            {"key": "local", "client": "aider/1.0", "requests": 1, "failed": 0}
        ]


def test_where_keys_are_set_the_own_machine_is_the_operators(tmp_path: Path) -> None:
    with running("serve", "--port", "0", home=tmp_path, extra=LOGIN) as server:
        port = str(server.port())
        client = added(tmp_path, "ann")
        becomes(server, int(port), client, 200)
        becomes(server, int(port), "", 401)
        assert finished("status", "--port", port, home=tmp_path).stdout.startswith("Claude OpenAI Proxy ")
        stranger = tmp_path / "elsewhere"
        stranger.mkdir()
        for words in (("status",), ("logs",), ("logs", "-f")):
            run = finished(*words, "--port", port, home=stranger, extra={"CLAUDE_OPENAI_PROXY_KEY": client})
            assert (run.returncode, run.stdout) == (1, "")
            assert "keys add NAME --operator" in run.stderr
        operator = added(tmp_path, "ops", "--operator")
        becomes(server, int(port), operator, 200)
        run = finished("logs", "--port", port, home=stranger, extra={"CLAUDE_OPENAI_PROXY_KEY": operator})
        assert run.returncode == 0
        assert "GET  /v1/key" in run.stdout


def test_logs_are_followed_until_the_server_stops(tmp_path: Path) -> None:
    with running("serve", "--demo", "--port", "0", home=tmp_path) as server:
        port = server.port()
        words = ("logs", "-f", "--client", "aider", "--port", str(port))
        follower_home = tmp_path / "follower"
        follower_home.mkdir()
        with running(*words, "--json", home=follower_home) as follower:
            while True:
                ask(port)
                ask(port, agent="other/1.0")
                if not follower.lines.empty():
                    break
            line = json.loads(follower.line("request_id")[0] and follower.seen[-1])
            assert (line["client"], line["status"], line["model"]) == ("aider/1.0", 200, "custom-claude-4-opus")
            server.signal(signal.SIGTERM)
            assert server.end() == 0
            assert follower.end() == 1
            assert "The server has stopped." in follower.errors()
        assert not any("other/1.0" in seen for seen in follower.seen)


def test_lines_are_for_people_and_chosen(tmp_path: Path) -> None:
    with running("serve", "--demo", "--port", "0", home=tmp_path) as server:
        port = str(server.port())
        ask(int(port))
        run = finished("logs", "--status", "2xx", "--port", port, home=tmp_path)
        assert run.returncode == 0
        assert "200 POST /v1/chat/completions  custom-claude-4-opus → " in run.stdout
        assert finished("logs", "--status", "5xx", "--port", port, home=tmp_path).stdout == ""
        wrong = finished("logs", "--status", "all", "--port", port, home=tmp_path)
        assert (wrong.returncode, "status is one such as 429" in wrong.stderr) == (1, True)


def test_without_a_server_both_say_so(tmp_path: Path) -> None:
    for words in (("status",), ("status", "--json"), ("logs",)):
        run = finished(*words, "--port", "9", home=tmp_path)
        assert (run.returncode, run.stdout) == (1, "")
        assert "Nothing answers at http://localhost:9/" in run.stderr
        assert "Start the proxy" in run.stderr
