"""What images and files really are."""

import pytest

from claude_openai_proxy.errors import InvalidRequestError
from claude_openai_proxy.protocols.anthropic import (
    Base64Source,
    DocumentBlockParam,
    ImageBlockParam,
    PlainTextSource,
    URLSource,
)
from claude_openai_proxy.translate.wishes.media import file_block, image_block
from translate.shape import JPEG_DATA, PDF_DATA, PNG_DATA

GIF, WEBP = "R0lGODlhAQABAAAAACw=", "UklGRiQAAABXRUJQVlA4IBgAAAA="


@pytest.mark.parametrize(
    ("url", "media_type", "data"),
    [
        (f"data:image/png;base64,{PNG_DATA}", "image/png", PNG_DATA),
        (f"DATA:IMAGE/PNG;charset=x;BASE64,{PNG_DATA}", "image/png", PNG_DATA),
        (f"data:;base64,{JPEG_DATA}", "image/jpeg", JPEG_DATA),
        (f"data:image/png;base64,{GIF}", "image/gif", GIF),
        (f"data:application/octet-stream;base64,{WEBP}", "image/webp", WEBP),
        (f"data:image/png;base64,{PNG_DATA[:8]}\r\n {PNG_DATA[8:]}", "image/png", PNG_DATA),
        (f"data:image/png;base64,{PNG_DATA.replace('=', '%3D')}", "image/png", PNG_DATA),
        (f"data:image/jpeg;base64,{JPEG_DATA.replace('/', '_').rstrip('=')}", "image/jpeg", JPEG_DATA),
        (PNG_DATA, "image/png", PNG_DATA),
    ],
)
def test_the_bytes_say_what_an_image_is(url: str, media_type: str, data: str) -> None:
    assert image_block(url, "p") == ImageBlockParam(source=Base64Source(media_type, data))


def test_an_image_on_the_web_stays_there() -> None:
    assert image_block("HTTPS://a.example/x", "p") == ImageBlockParam(source=URLSource("https://a.example/x"))


def test_a_pdf_sent_as_an_image_is_a_document() -> None:
    block = image_block(f"data:application/pdf;base64,{PDF_DATA}", "p")
    assert block == DocumentBlockParam(source=Base64Source("application/pdf", PDF_DATA))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "data:image/png;base64,",
        "data:image/png,abc",
        "data:image/png;base64",
        "data:image/png;base64,@@@@",
        "data:image/bmp;base64,Qk0=",
        "ftp://a.example/x.png",
        "javascript:alert(1)",
        "hello",
    ],
)
def test_what_is_no_image_is_refused_with_its_place(url: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        image_block(url, "messages[0]")
    assert refused.value.param == "messages[0]"


@pytest.mark.parametrize("data", ["SGVsbG8=", "data:text/markdown;base64,SGVsbG8", "77u/SGVsbG8="])
def test_utf_8_is_plain_text(data: str) -> None:
    block = file_block(data, "a.md", "p")
    assert block == DocumentBlockParam(source=PlainTextSource("Hello"), title="a.md")


@pytest.mark.parametrize("data", ["/w==", "", "AAAA"])
def test_what_is_no_file_is_refused_with_its_place(data: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        file_block(data, None, "p.file_data")
    assert refused.value.param == "p.file_data"
