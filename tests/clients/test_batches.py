"""A script as it works at OpenAI (upload, create, poll, download) with the official SDK, both ways to Claude."""

import json
import time

from openai import OpenAI
from openai.types.chat import ChatCompletion

from clients.proxies import MODEL, Proxy


def test_a_script_for_openais_batches_works_as_it_is(client: OpenAI, proxy: Proxy) -> None:
    requests = [
        {
            "custom_id": f"request-{number}",
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": f"Say {number}"}]},
        }
        for number in range(3)
    ]
    content = "\n".join(json.dumps(request) for request in requests).encode()
    input_file = client.files.create(file=("input.jsonl", content), purpose="batch")
    batch = client.batches.create(input_file_id=input_file.id, endpoint="/v1/chat/completions", completion_window="24h")
    while batch.status not in ("completed", "failed", "expired", "cancelled"):
        time.sleep(0.02)
        batch = client.batches.retrieve(batch.id)
    assert batch.status == "completed"
    assert batch.output_file_id is not None
    lines = client.files.content(batch.output_file_id).text.splitlines()
    told = {line["custom_id"]: line["response"] for line in map(json.loads, lines)}
    assert sorted(told) == ["request-0", "request-1", "request-2"]
    for response in told.values():
        assert response["status_code"] == 200
        assert ChatCompletion.model_validate(response["body"]).choices[0].message.content
    mode = client.batches.with_raw_response.retrieve(batch.id).headers["x-batch-mode"]
    assert mode == {"api": "native", "claude-code": "emulated"}[proxy.kind]
    made = len(proxy.simulator.batches.all)
    assert made == (1 if proxy.kind == "api" else 0)
