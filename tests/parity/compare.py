"""Where two JSON documents differ, place by place."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Difference:
    """`place` is a path such as `messages[0].content`; the values are JSON, or `absent`."""

    place: str
    api: str
    claude_code: str


def differences(api: object, claude_code: object) -> list[Difference]:
    """Every place, as high up as the documents differ in kind, and as deep as they differ in a value."""
    return list(_differences(api, claude_code, ""))


def _differences(api: object, claude_code: object, place: str) -> Iterator[Difference]:
    if isinstance(api, Mapping) and isinstance(claude_code, Mapping):
        for name in sorted({*api, *claude_code}):
            inside = f"{place}.{name}" if place else str(name)
            yield from _at(name in api, name in claude_code, api.get(name), claude_code.get(name), inside)
    elif isinstance(api, list) and isinstance(claude_code, list) and len(api) == len(claude_code):
        for number, pair in enumerate(zip(api, claude_code, strict=True)):
            yield from _differences(*pair, f"{place}[{number}]")
    elif isinstance(api, bool) is not isinstance(claude_code, bool) or api != claude_code:
        yield Difference(place, _shown(api), _shown(claude_code))


def _at(in_api: bool, in_claude_code: bool, api: object, claude_code: object, place: str) -> Iterator[Difference]:
    if in_api and in_claude_code:
        yield from _differences(api, claude_code, place)
    else:
        yield Difference(place, _shown(api) if in_api else ABSENT, _shown(claude_code) if in_claude_code else ABSENT)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
