"""A form whose file is too large to be held: its bytes go on as they come."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.service.files import IncomingFile, Upload
from claude_openai_proxy.web.files.form import LONGEST_HEADER, MOST_HEADERS, Form

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks


class _StreamedForm(Form):
    """Fields are kept, the file's bytes wait in `arrived` for whoever takes them."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = bytearray()
        self._in_file = False

    @property
    def callbacks(self) -> "MultipartCallbacks":
        """As `MultipartParser` takes them."""
        return {**super().callbacks, "on_headers_finished": self._headers_end, "on_part_data": self._data}

    def _headers_end(self) -> None:
        self._in_file = self.is_file

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self.arrived += data[start:end]
        else:
            self.take(data[start:end])


async def read_streamed(body: AsyncIterator[bytes], boundary: bytes, incoming: IncomingFile) -> Upload:
    """What the form says of its file, whose bytes have gone to `incoming`. Raises `InvalidRequestError`."""
    form = _StreamedForm()
    parser = MultipartParser(boundary, form.callbacks, max_header_count=MOST_HEADERS, max_header_size=LONGEST_HEADER)
    try:
        async for piece in body:
            parser.write(piece)
            if form.arrived:
                await incoming.add(bytes(form.arrived))
                form.arrived.clear()
        parser.finalize()
    except FormParserError as error:
        raise InvalidRequestError("The body is no multipart/form-data with the boundary that it names.") from error
    if not form.ended:
        raise InvalidRequestError("The body ends before its last boundary.")
    return form.upload()
