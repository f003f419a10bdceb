"""Turns arrays of numbers into arrays of text, the only type that raw exports have."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.generator.draws import Booleans, Draws, Integers

# pyarrow ships no type hints: an array of text is `Any` here.
Text = Any


def _joined(*parts: Text) -> Text:
    return pc.binary_join_element_wise(*parts, "")


def blanked(values: Text, is_blank: Booleans) -> Text:
    """Return `values` with NULL where `is_blank`."""
    return pc.if_else(pa.array(is_blank), pa.scalar(None, pa.string()), values)


def chosen(values: Sequence[str | None], codes: Integers) -> Text:
    """Return `values[code]` for each code."""
    return pa.array(values, pa.string()).take(pa.array(codes))


def constant(value: str | None, rows: int) -> Text:
    """Return the same text in every row."""
    return pa.repeat(pa.scalar(value, pa.string()), rows)


def identifiers(prefix: str, numbers: Integers, width: int) -> Text:
    """Return ids like `A00000042`: the prefix and the number, filled with zeros to `width` digits."""
    digits = pc.cast(pa.array(numbers), pa.string())
    return _joined(pa.scalar(prefix), pc.utf8_lpad(digits, width=width, padding="0"))


def numbered(parents: Text, ordinals: Integers) -> Text:
    """Return ids like `C00000042-1`: the id of the parent, a dash and the ordinal."""
    return _joined(parents, pa.scalar("-"), pc.cast(pa.array(ordinals), pa.string()))


def timestamps(seconds: Integers) -> Text:
    """Return `YYYY-MM-DD HH:MM:SS` for seconds since 1970 (local time)."""
    return pc.cast(pa.array(seconds).cast(pa.timestamp("s")), pa.string())


def dates(seconds: Integers) -> Text:
    """Return `YYYY-MM-DD` for seconds since 1970 (local time)."""
    return pc.utf8_slice_codeunits(timestamps(seconds), 0, 10)


def decimals(hundredths: Integers) -> Text:
    """Return numbers with two decimals, like `-12.50`, for whole hundredths."""
    size = np.abs(hundredths)
    sign = chosen(["", "-"], (hundredths < 0).astype(np.int64))
    fraction = chosen([f".{number:02d}" for number in range(100)], size % 100)
    return _joined(sign, pc.cast(pa.array(size // 100), pa.string()), fraction)


def whole_numbers(numbers: Integers) -> Text:
    """Return whole numbers as plain digits."""
    return pc.cast(pa.array(numbers), pa.string())


def email_tokens(draws: Draws, stream: str, keys: Integers) -> Text:
    """Return tokens in the form that landing gives to e-mail addresses.

    `email:` and 16 hexadecimal digits.
    """
    bits = draws.bits(stream, keys)
    quads = [f"{number:04x}" for number in range(1 << 16)]
    parts = [
        chosen(quads, ((bits >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)) for shift in (48, 32, 16, 0)
    ]
    return _joined(pa.scalar("email:"), *parts)
