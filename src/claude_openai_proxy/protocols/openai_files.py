"""Files of the OpenAI API (https://platform.openai.com/docs/api-reference/files)."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType


class FileObject(Struct, frozen=True, kw_only=True):
    """`bytes` is its size; times are seconds since 1970."""

    id: str
    bytes: int
    created_at: int
    filename: str
    purpose: str
    expires_at: int | UnsetType = UNSET
    status: Literal["processed"] = "processed"
    object: Literal["file"] = "file"


class FileList(Struct, frozen=True, kw_only=True):
    """A page of files."""

    data: list[FileObject]
    first_id: str | None
    last_id: str | None
    has_more: bool
    object: Literal["list"] = "list"


class FileDeleted(Struct, frozen=True, kw_only=True):
    """A file is gone."""

    id: str
    deleted: Literal[True] = True
    object: Literal["file"] = "file"
