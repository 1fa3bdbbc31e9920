"""`multipart/form-data` (RFC 7578) in memory: nothing of an upload rests anywhere before it is sealed."""

import re
from typing import TYPE_CHECKING, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from claude_openai_proxy.errors import ClientRefusedError, InvalidRequestError
from claude_openai_proxy.service.files import Upload

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_PARTS: Final = 20
LONGEST_FIELD: Final = 1000
"""Bytes of a field that is no file."""
MOST_HEADERS: Final = 10
LONGEST_HEADER: Final = 4096

_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{1,70}")
_ANCHORS: Final = ("expires_after[anchor]", "expires_after.anchor")
_SECONDS: Final = ("expires_after[seconds]", "expires_after.seconds")


def boundary_of(content_type: str) -> bytes:
    """What stands between the parts. Raises `ClientRefusedError` (415) where the type is another one."""
    type_, options = parse_options_header(content_type)
    if type_ != b"multipart/form-data":
        raise ClientRefusedError(
            "A file is uploaded as multipart/form-data.", status=415, code="unsupported_media_type"
        )
    boundary = options.get(b"boundary", b"")
    if not _BOUNDARY.fullmatch(boundary):
        raise ClientRefusedError(
            "The content type multipart/form-data names no boundary.", status=415, code="unsupported_media_type"
        )
    return boundary


def read_upload(body: bytes, boundary: bytes) -> Upload:
    """The upload that a form is. Raises `InvalidRequestError` naming the field."""
    form = Form()
    parser = MultipartParser(boundary, form.callbacks, max_header_count=MOST_HEADERS, max_header_size=LONGEST_HEADER)
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise InvalidRequestError("The body is no multipart/form-data with the boundary that it names.") from error
    if not form.ended:
        raise InvalidRequestError("The body ends before its last boundary.")
    return form.upload()


class Form:
    """What the parser tells, part by part. A part's data is cut out of the body once, when the part ends."""

    def __init__(self) -> None:
        self.ended = False
        self._fields: dict[str, str] = {}
        self._file: tuple[str, bytes] | None = None
        self._parts = 0
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._pieces: list[bytes] = []

    @property
    def callbacks(self) -> "MultipartCallbacks":
        """As `MultipartParser` takes them."""
        return {
            "on_part_begin": self._part_begins,
            "on_part_data": lambda data, start, end: self.take(data[start:end]),
            "on_part_end": self._part_ends,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_end": self._ends,
        }

    @property
    def is_file(self) -> bool:
        """Whether the part is the file, once its headers have come."""
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        return options.get(b"name") == b"file" and b"filename" in options

    def take(self, data: bytes) -> None:
        """Of the part's data."""
        self._pieces.append(data)

    def upload(self) -> Upload:
        """Of what came. Raises `InvalidRequestError`."""
        if self._file is None:
            raise InvalidRequestError("The form has no file with a file name.", param="file")
        if "purpose" not in self._fields:
            raise InvalidRequestError("The form has no purpose.", param="purpose")
        name, content = self._file
        return Upload(name, content, self._fields["purpose"], self._seconds())

    def _seconds(self) -> int | None:
        anchor = next((self._fields[name] for name in _ANCHORS if name in self._fields), None)
        seconds = next((self._fields[name] for name in _SECONDS if name in self._fields), None)
        if anchor not in (None, "created_at"):
            raise InvalidRequestError("Only created_at can be the anchor.", param="expires_after.anchor")
        if seconds is None:
            if anchor is None:
                return None
            raise InvalidRequestError("The seconds are missing.", param="expires_after.seconds")
        if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= 10):
            raise InvalidRequestError("The seconds must be a whole number.", param="expires_after.seconds")
        return int(seconds)

    # ---- what the parser tells ----------------------------------------------------------------------------------

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise InvalidRequestError(f"The form has more than {MOST_PARTS} parts.")
        self._headers, self._pieces = {}, []

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._name.strip().lower()] = self._value.strip()
        self._name = self._value = b""

    def _part_ends(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        content = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces = []
        if name == "file" and b"filename" in options:
            if self._file is not None:
                raise InvalidRequestError("The form has more than one file.", param="file")
            self._file = options[b"filename"].decode("utf-8", "replace"), content
        elif len(content) > LONGEST_FIELD:
            raise InvalidRequestError("The field is too long.", param=name[:100])
        else:
            self._fields[name] = content.decode("utf-8", "replace").strip()

    def _ends(self) -> None:
        self.ended = True
