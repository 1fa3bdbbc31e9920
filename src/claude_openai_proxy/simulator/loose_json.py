"""Reading JSON whose shape is not known: each reader gives an empty value where the JSON holds something else."""

import json
from typing import TypeAlias

JSONObject: TypeAlias = dict[str, object]


def object_in(value: object) -> JSONObject:
    """`value` where it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_in(value: object) -> list[object]:
    """`value` where it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def objects_in(value: object) -> list[JSONObject]:
    """The objects of a list; whatever else is in it is left out."""
    return [item for item in list_in(value) if isinstance(item, dict)]


def text_in(value: object) -> str:
    """`value` where it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def is_number(value: object) -> bool:
    """Whether `value` is a JSON number (in Python `True` is an int, in JSON it is not)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_integer(value: object) -> bool:
    """Whether `value` is a whole JSON number."""
    return isinstance(value, int) and not isinstance(value, bool)


def compact(value: object) -> str:
    """JSON text as the Messages API writes it: no spaces, no escapes for other scripts."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
