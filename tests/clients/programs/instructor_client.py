"""python instructor_client.py SCENARIO...: asks the proxy at OPENAI_BASE_URL through instructor, prints JSON."""

import json
import os
import sys
from collections.abc import Callable

import instructor
from openai import OpenAI
from pydantic import BaseModel, field_validator

MESSAGES = [{"role": "user", "content": "Ada Lovelace is 36 years old."}]


class Person(BaseModel):
    """A person."""

    name: str
    age: int
    nickname: str | None = None

    @field_validator("name")
    @classmethod
    def in_capitals(cls, name: str) -> str:
        """A rule that no schema tells."""
        if name != name.upper():
            raise ValueError("the name must be in capitals")
        return name


def ask(mode: instructor.Mode) -> object:
    client = instructor.from_openai(OpenAI(max_retries=0), mode=mode)
    person = client.chat.completions.create(
        model=os.environ["MODEL"], messages=MESSAGES, response_model=Person, max_retries=1
    )
    return person.model_dump()


def partial() -> object:
    client = instructor.from_openai(OpenAI(max_retries=0), mode=instructor.Mode.TOOLS)
    parts = client.chat.completions.create_partial(
        model=os.environ["MODEL"], messages=MESSAGES, response_model=Person, max_retries=0
    )
    return [part.model_dump() for part in parts][-1]


def many() -> object:
    client = instructor.from_openai(OpenAI(max_retries=0), mode=instructor.Mode.TOOLS)
    people = client.chat.completions.create_iterable(
        model=os.environ["MODEL"], messages=MESSAGES, response_model=Person, max_retries=0
    )
    return [person.model_dump() for person in people]


SCENARIOS: dict[str, Callable[[], object]] = {
    "tools": lambda: ask(instructor.Mode.TOOLS),
    "json": lambda: ask(instructor.Mode.JSON),
    "json_schema": lambda: ask(instructor.Mode.JSON_SCHEMA),
    "partial": partial,
    "many": many,
}

if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: SCENARIOS[name]() for name in sys.argv[1:]}) + "\n")
