"""Which tools the simulated model calls, and with what."""

import re
from dataclasses import dataclass

from claude_openai_proxy.simulator.complaints.asked import Asked
from claude_openai_proxy.simulator.harmless import is_risky
from claude_openai_proxy.simulator.json_instance import DAY, Prompt, json_instance
from claude_openai_proxy.simulator.loose_json import JSONObject, object_in, text_in
from claude_openai_proxy.simulator.tokens import EAST_ASIAN

MOST_CALLS = 4
DEMAND = re.compile(
    r"\b(must|required?|requires|have to|has to|need to)\b[^.\n]{0,120}\b(call|use|invoke|calling|using)\b[^.\n]{0,120}"
    r"\b(tool|function)",
    re.IGNORECASE,
)
COMMON = """
a about all an and any are as at be by can current do for from function call get give given has have how i if in is it
its list me my name of on one or please return set show tell that the their them this to tool use used user value want
what when where which who will with you your
"""
COMMON_WORDS = frozenset(COMMON.split())
THING = re.compile(r"\"([^\"]+)\"|“([^”]+)”|「([^」]+)」|(?<![.!?]\s)(?<!^)\b([A-Z][\w'-]*(?: [A-Z][\w'-]*)*)")
EAST_ASIAN_THING = re.compile(rf"([{EAST_ASIAN}]{{2,4}}?)(?=和|与|、|跟|的|今天|现在|明天)")
FIRST_THING = re.compile(r"(?:^|[.!?]\s)([A-Z][\w-]*)(?= and [A-Z]| is | was | has |'s )")
NOT_THINGS = frozenset({"I", "I'm", "I'd", "I'll", "What", "How", "Please", "JSON", "API"})
ROUNDS = re.compile(r"\bin (\d{1,3}) rounds(?: of (\d{1,2}) calls)?\b", re.IGNORECASE)
FORCED = re.compile(r"next (message|answer|reply) must call|must call [^.\n]{0,160} now\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One call to make."""

    name: str
    input: JSONObject


def is_forced(asked: Asked, instructions: str) -> bool:
    """Whether this very answer must call a tool, even right after the results of the last calls."""
    return asked.tool_choice in {"any", "tool"} or FORCED.search(instructions) is not None


def round_of_calls(asked: Asked, asked_first: str) -> list[Call] | None:
    """The next calls where the conversation began with the wish for so many rounds of them; None where it did not."""
    wish = ROUNDS.search(asked_first)
    tools = [tool for _, tool in asked.custom_tools if not is_risky(tool)]
    if wish is None or not tools:
        return None
    done = sum(bool(turn.of_type("tool_use")) for turn in asked.turns if turn.role == "assistant")
    if done >= int(wish[1]):
        return []
    return [
        _call(tools[0], Prompt(asked_first, things_in(asked_first), careful=True)) for _ in range(int(wish[2] or 1))
    ]


def calls_for(asked: Asked, said: str, instructions: str) -> list[Call]:
    """The calls, none where text is the better answer. `instructions` is what the system prompt says."""
    tools = [tool for _, tool in asked.custom_tools if not is_risky(tool)]
    if not tools or asked.tool_choice == "none":
        return []
    if asked.tool_choice == "tool":
        wanted = object_in(asked.body.get("tool_choice")).get("name")
        chosen = [tool for tool in tools if tool.get("name") == wanted]
    else:
        chosen = _chosen(tools, said, instructions, must=asked.tool_choice == "any")
    made = _made(chosen, said)
    alone = object_in(asked.body.get("tool_choice")).get("disable_parallel_tool_use") is True
    return made[: 1 if alone else MOST_CALLS]


def _chosen(tools: list[JSONObject], said: str, instructions: str, *, must: bool) -> list[JSONObject]:
    demand = DEMAND.search(instructions) or DEMAND.search(said)
    named = [tool for tool in tools if _mentions(said, tool)]
    if not named and demand is not None:
        named = [tool for tool in tools if _mentions(instructions, tool)]
    fitting = named or [tool for tool in tools if _fits(said, tool)]
    return fitting or (tools[:1] if must or demand is not None else [])


def _mentions(text: str, tool: JSONObject) -> bool:
    name = text_in(tool.get("name")).lower()
    return re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text.lower()) is not None


def _fits(said: str, tool: JSONObject) -> bool:
    """A word of the tool's name, two of its description or two signs of a script without spaces were said."""
    spoken = _words(said)
    name = _words(re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]", " ", text_in(tool.get("name"))))
    described = _words(text_in(tool.get("description")))
    shared = spoken & described
    return bool(spoken & name) or len(shared) >= 2 or any(not word.isascii() for word in shared)


def _words(text: str) -> set[str]:
    plain = {word for word in re.findall(r"[a-z]{2,}", text.lower()) if word not in COMMON_WORDS}
    runs = re.findall(rf"[{EAST_ASIAN}]{{2,}}", text)
    return plain | {run[at : at + 2] for run in runs for at in range(len(run) - 1)}


def _made(tools: list[JSONObject], said: str) -> list[Call]:
    things = things_in(said)
    if len(tools) == 1 and len(things) > 1 and _takes_one_thing(tools[0]):
        return [_call(tools[0], Prompt(said, [thing], careful=True)) for thing in things]
    if len(tools) > 1 and len(things) == len(tools):
        return [_call(tool, Prompt(said, [thing], careful=True)) for tool, thing in zip(tools, things, strict=True)]
    return [_call(tool, Prompt(said, things, careful=True)) for tool in tools]


def _call(tool: JSONObject, prompt: Prompt) -> Call:
    made = json_instance(object_in(tool.get("input_schema")), prompt)
    return Call(text_in(tool.get("name")), object_in(made))


def _takes_one_thing(tool: JSONObject) -> bool:
    schema = object_in(tool.get("input_schema"))
    properties = object_in(schema.get("properties"))
    texts = [
        part for part in map(object_in, properties.values()) if part.get("type") == "string" and "enum" not in part
    ]
    return len(texts) == 1


def things_in(said: str) -> list[str]:
    """Names in a text: quoted, or capitalised in the middle of a sentence, or before a Chinese "and" or "of"."""
    first = [word for word in FIRST_THING.findall(said) if word.lower() not in COMMON_WORDS]
    found = ["".join(groups) for groups in THING.findall(said)] + EAST_ASIAN_THING.findall(said)
    things = [*first, *(thing.lstrip("和与跟、") for thing in found)]
    left_out = NOT_THINGS | set(DAY.findall(said))
    return [thing for thing in dict.fromkeys(things) if thing and thing not in left_out]
