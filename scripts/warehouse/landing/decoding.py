"""From bytes in a declared or marked encoding to UTF-8 bytes. Nothing is guessed and nothing is replaced.

Bytes that are wrong in the encoding come out as the byte FF, which UTF-8 never holds, so that the row reader
finds and quarantines the row they stand in.
"""

import codecs
from collections.abc import Iterator

from warehouse.landing.messages import FileRejectedError

ENCODINGS = (
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255",
    "cp1256", "cp1257", "iso-8859-1", "iso-8859-15", "mac-roman", "shift_jis", "gb18030", "big5", "euc-kr",
)  # fmt: skip
_BAD_BYTE = "\udcff"


def _mark_bad(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return _BAD_BYTE, error.end


codecs.register_error("warehouse_mark_bad", _mark_bad)


def to_utf8(chunks: Iterator[bytes], declared: str | None) -> tuple[Iterator[bytes], list[str]]:
    """Return the UTF-8 bytes of a file without byte order mark, and what was repaired on the way.

    `declared` is the encoding that a mapping names, else None: UTF-8, or UTF-16 by its mark.
    Raises FileRejectedError for UTF-32 and for UTF-16 without a mark.
    """
    first = next(chunks, b"")
    while len(first) < 4:
        more = next(chunks, b"")
        if not more:
            break
        first += more
    repairs: list[str] = []
    encoding = declared or "utf-8"
    if first.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise FileRejectedError("is in UTF-32: save it as UTF-8")
    if first.startswith(codecs.BOM_UTF8):
        first = first[3:]
        encoding = "utf-8"
        repairs.append("byte order mark removed")
    elif first.startswith(codecs.BOM_UTF16_LE):
        first, encoding = first[2:], "utf-16-le"
    elif first.startswith(codecs.BOM_UTF16_BE):
        first, encoding = first[2:], "utf-16-be"
    elif encoding == "utf-16":
        raise FileRejectedError("has no UTF-16 byte order mark: declare utf-16-le or utf-16-be in the mapping")
    elif encoding == "utf-8" and _looks_like_utf16(first[:4096]):
        raise FileRejectedError(
            "looks like UTF-16 without a byte order mark: save it as UTF-8, or declare its encoding"
        )
    if encoding == "utf-8":
        return _chained(first, chunks), repairs
    repairs.append(f"converted from {encoding} to UTF-8")
    return _converted(first, chunks, encoding), repairs


def _looks_like_utf16(start: bytes) -> bool:
    even, odd = start[::2].count(0), start[1::2].count(0)
    return len(start) >= 4 and max(even, odd) > 0.6 * (len(start) // 2) and min(even, odd) < 0.2 * (len(start) // 2)


def _chained(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from chunks


def _converted(first: bytes, chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)("warehouse_mark_bad")
    for chunk in _chained(first, chunks):
        text = decoder.decode(chunk)
        if text:
            yield text.encode("utf-8", "surrogateescape")
    text = decoder.decode(b"", True)
    if text:
        yield text.encode("utf-8", "surrogateescape")
