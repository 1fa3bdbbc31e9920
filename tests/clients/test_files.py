"""Files with the official openai SDK: uploaded, listed, read, and named in a chat."""

import json

import openai
import pytest
from openai import OpenAI

from clients.proxies import MODEL, Proxy


def test_an_uploaded_file_is_what_claude_reads(client: OpenAI, proxy: Proxy) -> None:
    file = client.files.create(
        file=("notes.txt", b"The key is under the mat."),
        purpose="user_data",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert (file.filename, file.bytes, file.status) == ("notes.txt", 25, "processed")
    assert file.expires_at == file.created_at + 3600
    assert client.files.retrieve(file.id) == file
    assert [listed.id for listed in client.files.list(purpose="user_data")] == [file.id]
    assert client.files.content(file.id).read() == b"The key is under the mat."

    client.chat.completions.create(
        model=MODEL,
        messages=[
            {
                "role": "user",
                "content": [{"type": "text", "text": "Where?"}, {"type": "file", "file": {"file_id": file.id}}],
            }
        ],
    )
    (asked,) = proxy.asked()
    told = json.dumps(asked["messages"])
    assert "The key is under the mat." in told
    assert "notes.txt" in told

    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(file.id)
