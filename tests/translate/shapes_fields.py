"""Request shapes for the rows of the table of fields."""

from translate.shape import HELLO, PNG, Shape, assistant, declined, fields, function, refused, talk, text, user

OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}


def json_schema(schema: object, **more: object) -> dict[str, object]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, **more}}


FIELDS: tuple[Shape, ...] = (
    # model, messages, stream
    fields("model: the resolved id goes upstream", lambda s, f: s.get("model") == f.id, model="custom-claude-4-opus"),
    fields("model: absent", lambda s, f: s.get("model") == f.id),
    fields("messages: one greeting", lambda s, _: s.texts("user") == ["Hello"]),
    fields("stream: true", lambda s, _: s.texts("user") == ["Hello"], stream=True),
    fields("stream: null", lambda s, _: s.texts("user") == ["Hello"], stream=None),
    declined("stream_options.include_usage: asked for", stream=True, stream_options={"include_usage": True}),
    declined("stream_options.include_usage: null", stream=True, stream_options={"include_usage": None}),
    declined(
        "stream_options.include_obfuscation: asked for",
        "stream_options.include_obfuscation",
        stream=True,
        stream_options={"include_obfuscation": True},
    ),
    declined("stream_options.include_obfuscation: off", stream=True, stream_options={"include_obfuscation": False}),
    # token limits
    fields("max_tokens: as asked", lambda s, _: s.get("max_tokens") == 5000, max_tokens=5000),
    fields(
        "max_completion_tokens: wins over max_tokens",
        lambda s, _: s.get("max_tokens") == 6000,
        max_completion_tokens=6000,
        max_tokens=50,
    ),
    fields("max_completion_tokens: alone", lambda s, _: s.get("max_tokens") == 9, max_completion_tokens=9),
    fields("max_tokens: none is the model's maximum", lambda s, f: s.get("max_tokens") == f.max_output),
    fields("max_tokens: above the maximum", lambda s, f: s.get("max_tokens") == f.max_output, max_tokens=10**9),
    # sampling
    fields(
        "temperature: where the model takes it",
        lambda s, f: s.get("temperature") == (0.2 if f.sampling else None),
        temperature=0.2,
    ),
    fields(
        "temperature: above one",
        lambda s, f: s.get("temperature") == (1 if f.sampling else None),
        temperature=1.7,
    ),
    fields("temperature: zero", lambda s, f: s.get("temperature") == (0 if f.sampling else None), temperature=0),
    fields("top_p: alone", lambda s, f: s.get("top_p") == (0.4 if f.sampling else None), top_p=0.4),
    fields(
        "top_p: gives way to temperature",
        lambda s, f: s.get("top_p") is None and s.get("temperature") == (0.5 if f.sampling else None),
        temperature=0.5,
        top_p=0.4,
    ),
    fields(
        "top_p: beside the default temperature",
        lambda s, f: s.get("top_p") == (0.4 if f.sampling else None) and s.get("temperature") is None,
        temperature=1,
        top_p=0.4,
    ),
    fields(
        "temperature: while thinking",
        lambda s, _: s.get("temperature") is None and s.get("top_p") is None,
        temperature=0.3,
        reasoning_effort="high",
    ),
    # stop
    fields("stop: a string", lambda s, _: s.get("stop_sequences") == ["END"], stop="END"),
    fields("stop: a list", lambda s, _: s.get("stop_sequences") == ["a", "b"], stop=["a", "b", "a", ""]),
    fields("stop: white space only", lambda s, _: s.get("stop_sequences") is None, stop="\n\n"),
    fields("stop: white space among others", lambda s, _: s.get("stop_sequences") == ["x"], stop=[" ", "x", "\n"]),
    # n
    fields("n: three", lambda s, _: s.texts("user") == ["Hello"], n=3),
    fields("n: one", lambda s, _: s.texts("user") == ["Hello"], n=1),
    # response_format
    fields("response_format: text", lambda s, _: s.get("output_config") is None, response_format={"type": "text"}),
    fields("response_format: null", lambda s, _: s.get("output_config") is None, response_format=None),
    fields(
        "response_format: json_object",
        lambda s, _: "JSON object" in s.system and "fences" in s.system,
        response_format={"type": "json_object"},
    ),
    fields(
        "response_format: json_schema",
        lambda s, _: s.get("output_config", "format", "schema") == OBJECT,
        response_format=json_schema(OBJECT, strict=True),
    ),
    fields(
        "response_format: bounds move into the description",
        lambda s, _: (
            s.get("output_config", "format", "schema", "properties", "n")
            == {"type": "integer", "description": "A number (minimum: 1, maximum: 9)"}
        ),
        response_format=json_schema(
            {
                "type": "object",
                "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 9, "description": "A number"}},
            }
        ),
    ),
    fields(
        "response_format: definitions are put in",
        lambda s, _: (
            s.get("output_config", "format", "schema", "properties", "who", "properties", "name") == {"type": "string"}
        ),
        response_format=json_schema(
            {
                "type": "object",
                "properties": {"who": {"$ref": "#/$defs/Person"}},
                "$defs": {"Person": {"type": "object", "properties": {"name": {"type": "string"}}}},
            }
        ),
    ),
    fields(
        "response_format: optional and union",
        lambda s, _: (
            s.get("output_config", "format", "schema", "properties", "x", "anyOf")
            == [{"type": "string"}, {"type": "null"}]
        ),
        response_format=json_schema(
            {"type": "object", "properties": {"x": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}}}
        ),
    ),
    fields(
        "response_format: a map is told in words",
        lambda s, _: s.get("output_config") is None and "additionalProperties" in s.system,
        response_format=json_schema({"type": "object", "additionalProperties": {"type": "integer"}}),
    ),
    fields(
        "response_format: too many optional properties are told in words",
        lambda s, _: s.get("output_config") is None and "p29" in s.system,
        response_format=json_schema({"type": "object", "properties": {f"p{n}": {"type": "null"} for n in range(30)}}),
    ),
    fields(
        "response_format: json_object with a schema",
        lambda s, f: s.get("output_config", "format", "schema", "required") == (["a"] if f.structured_output else None),
        response_format={
            "type": "json_object",
            "schema": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
        },
    ),
    fields(
        "response_format: recursion is told in words",
        lambda s, _: s.get("output_config", "format") is None,
        response_format=json_schema(
            {"type": "object", "properties": {"next": {"$ref": "#"}}},
        ),
    ),
    # reasoning
    fields(
        "reasoning_effort: high",
        lambda s, f: (
            s.get("thinking", "type") == ("adaptive" if "adaptive" in f.thinking else "enabled")
            and s.get("output_config", "effort") == ("high" if f.efforts else None)
            and s.get("thinking", "display") == "summarized"
        ),
        reasoning_effort="high",
    ),
    fields(
        "reasoning_effort: minimal is the lowest",
        lambda s, f: s.get("output_config", "effort") == (f.efforts[0] if f.efforts else None),
        reasoning_effort="minimal",
    ),
    fields(
        "reasoning_effort: max",
        lambda s, f: s.get("output_config", "effort") == (f.efforts[-1] if f.efforts else None),
        reasoning_effort="max",
    ),
    fields(
        "reasoning_effort: none",
        lambda s, f: (
            s.get("thinking", "type") == ("disabled" if f.thinking_by_default else None)
            if "disabled" in f.thinking
            else s.get("output_config", "effort") == "low"
        ),
        reasoning_effort="none",
    ),
    fields("reasoning_effort: absent", lambda s, _: s.get("thinking") is None and s.get("output_config") is None),
    fields(
        "reasoning_effort: absent with a small limit",
        lambda s, f: (
            not f.thinking_by_default
            or s.get("thinking", "type") == "disabled"
            or s.get("output_config", "effort") == "low"
        ),
        max_tokens=300,
    ),
    fields(
        "reasoning_effort: with a limit below the smallest budget",
        lambda s, f: s.get("thinking") is None if "adaptive" not in f.thinking else s.get("thinking") is not None,
        reasoning_effort="high",
        max_tokens=800,
    ),
    # verbosity, identity, storage
    fields("verbosity: low", lambda s, _: "brief" in s.system, verbosity="low"),
    fields("verbosity: high", lambda s, _: "detail" in s.system, verbosity="high"),
    fields("verbosity: medium", lambda s, _: not s.system, verbosity="medium"),
    Shape(
        "user: an e-mail address",
        {"messages": HELLO, "user": "jane@example.com"},
        lambda s, _: "@" not in str(s.get("metadata", "user_id")) and len(str(s.get("metadata", "user_id"))) == 64,
        api_only=True,
    ),
    Shape(
        "safety_identifier: wins over user",
        {"messages": HELLO, "user": "x", "safety_identifier": "hello"},
        lambda s, _: len(str(s.get("metadata", "user_id"))) == 64,
        api_only=True,
    ),
    Shape(
        "user: a phone number",
        {"messages": HELLO, "user": "+49 123 4567890"},
        lambda s, _: len(str(s.get("metadata", "user_id"))) == 64,
        api_only=True,
    ),
    Shape(
        "safety_identifier: alone",
        {"messages": HELLO, "safety_identifier": "hello"},
        lambda s, _: len(str(s.get("metadata", "user_id"))) == 64,
        api_only=True,
    ),
    declined("metadata: declined", "metadata", metadata={"k": "v"}),
    declined("metadata: empty", metadata={}),
    declined("store: declined", "store", store=True),
    declined("store: false", store=False),
    # caching
    fields(
        "prompt_cache_key: automatic caching", lambda s, _: s.get("cache_control") is not None, prompt_cache_key="k"
    ),
    fields(
        "prompt_cache_key: null", lambda s, _: s.get("cache_control") == {"type": "ephemeral"}, prompt_cache_key=None
    ),
    fields(
        "prompt_cache_retention: 24h", lambda s, _: s.get("cache_control", "ttl") == "1h", prompt_cache_retention="24h"
    ),
    fields(
        "prompt_cache_retention: in memory",
        lambda s, _: s.get("cache_control") == {"type": "ephemeral"},
        prompt_cache_retention="in_memory",
    ),
    fields(
        "prompt_cache_options: 30 minutes",
        lambda s, _: s.get("cache_control", "ttl") == "1h",
        prompt_cache_options={"mode": "implicit", "ttl": "30m"},
    ),
    talk(
        "prompt_cache_options: explicit with a breakpoint",
        lambda s, _: s.get("cache_control") is None and s.marks == [{"type": "ephemeral", "ttl": "1h"}],
        user([text("Long", prompt_cache_breakpoint={"mode": "explicit"}), text("short")]),
        prompt_cache_options={"mode": "explicit"},
    ),
    # service tier, search
    fields("service_tier: auto", lambda s, _: s.get("service_tier") == "auto", service_tier="auto"),
    fields("service_tier: priority", lambda s, _: s.get("service_tier") == "auto", service_tier="priority"),
    fields("service_tier: default", lambda s, _: s.get("service_tier") == "standard_only", service_tier="default"),
    fields("service_tier: flex", lambda s, _: s.get("service_tier") == "standard_only", service_tier="flex"),
    fields("web_search_options: empty", lambda s, _: s.tool_names == ["web_search"], web_search_options={}),
    fields(
        "web_search_options: a place",
        lambda s, _: s.get("tools", 0, "user_location") == {"type": "approximate", "city": "Paris", "country": "FR"},
        web_search_options={
            "user_location": {"type": "approximate", "approximate": {"city": "Paris", "country": "FR"}}
        },
    ),
    fields(
        "web_search_options: beside a tool of that name",
        lambda s, _: len(s.tool_names) == len(set(map(str, s.tool_names))) == 2,
        web_search_options={},
        tools=[function("web_search")],
    ),
    # declined
    declined("prediction: declined", "prediction", prediction={"type": "content", "content": "x"}),
    declined("prediction: null", prediction=None),
    declined("modalities: text", modalities=["text"]),
    refused("modalities: audio", "modalities", modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}),
    declined("audio: without asking for sound", "audio", audio={"voice": "alloy", "format": "wav"}),
    declined("audio: null", audio=None, modalities=None),
    declined("seed: declined", "seed", seed=0),
    declined("seed: null", seed=None),
    declined("logit_bias: declined", "logit_bias", logit_bias={"50256": -100}),
    declined("logit_bias: empty", logit_bias={}),
    declined("logprobs: declined", "logprobs", "top_logprobs", logprobs=True, top_logprobs=3),
    declined("logprobs: false", logprobs=False),
    declined("top_logprobs: declined", "top_logprobs", top_logprobs=5),
    declined("top_logprobs: zero", top_logprobs=0),
    declined("frequency_penalty: declined", "frequency_penalty", frequency_penalty=0.5),
    declined("frequency_penalty: zero", frequency_penalty=0),
    declined("presence_penalty: declined", "presence_penalty", presence_penalty=-1.5),
    declined("presence_penalty: zero", presence_penalty=0),
    declined("moderation: declined", "moderation", moderation={"model": "omni-moderation-latest"}),
    declined("moderation: null", moderation=None),
    # Claude's own fields
    fields(
        "thinking: a budget",
        lambda s, f: s.get("thinking", "type") == ("enabled" if "enabled" in f.thinking else "adaptive"),
        thinking={"type": "enabled", "budget_tokens": 2000},
    ),
    fields(
        "thinking: disabled",
        lambda s, f: s.get("thinking", "type") in {None, "disabled"} and (f.sampling or s.get("temperature") is None),
        thinking={"type": "disabled"},
    ),
    fields("top_k: where the model takes it", lambda s, f: s.get("top_k") == (5 if f.sampling else None), top_k=5),
    fields("top_k: zero is none", lambda s, _: s.get("top_k") is None, top_k=0),
    talk(
        "cache_control: on a part",
        lambda s, _: s.marks == [{"type": "ephemeral"}] and s.get("cache_control") is None,
        user([text("x", cache_control={"type": "ephemeral"})]),
    ),
    talk(
        "cache_control: on whole messages",
        lambda s, _: len(s.marks) == 3,
        {"role": "system", "content": "S", "cache_control": {"type": "ephemeral"}},
        user("x", cache_control={"type": "ephemeral"}),
        assistant("y"),
        user([text("a"), {"type": "image_url", "image_url": {"url": PNG}}], cache_control={"type": "ephemeral"}),
    ),
    talk(
        "cache_control: more than four marks",
        lambda s, _: len(s.marks) == 4 and s.texts("user") == list("abcdef"),
        user([text(word, cache_control={"type": "ephemeral"}) for word in "abcdef"]),
    ),
    talk(
        "cache_control: a longer life after a shorter one",
        lambda s, _: s.marks == [{"type": "ephemeral", "ttl": "1h"}] * 2,
        user([text("a", cache_control={"type": "ephemeral"})]),
        user([text("b", cache_control={"type": "ephemeral", "ttl": "1h"})]),
    ),
)
