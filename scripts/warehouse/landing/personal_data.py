"""E-mail addresses become keyed tokens before anything is written.

A token is `email:` and the first 24 hexadecimal digits (96 bits) of HMAC-SHA256 over the normalised address,
so that equal addresses stay equal within one warehouse and nobody without the key can test a guess.
"""

import contextlib
import hmac
import os
import re
import secrets
import unicodedata
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from warehouse.errors import WarehouseError
from warehouse.landing.texts import Cells

KEY_VARIABLE = "WAREHOUSE_TOKEN_KEY"
_TOKEN_DIGITS = 24
TOKEN = re.compile(rf"email:[0-9a-f]{{{_TOKEN_DIGITS}}}")
_SHORTEST_KEY = 16

# Deliberately greedy: a token too many does no harm, an address too few does. The domain may lack a dot, the sign may
# be full-width, written as an escape or have invisible marks around it, and bytes that were wrong stand as \xfc. With
# blanks beside the sign, or the sign of quoted-printable mails (=40), the domain must end like one ("meet @ noon",
# "3 @ 10.50" and "width=400" stay). A mail server that passes an address on (SRS0=…) has it in its own local part.
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_AT = r"(?:\\*[@＠﹫]|%40|\\u0040|&#0*64;|&#[xX]0*40;|&commat;)"
_SIGN = rf"[{_INVISIBLE}]*{_AT}[{_INVISIBLE}]*"
_BYTE = r"\\x[0-9A-Fa-f]{2}"
_EXCLUDED = r"\s@＠﹫,;:<>\"()\[\]{}|\\/=&?"
# A word is tried at its beginning alone and never given back: it costs one look, however long it is.
_BEGINNING = rf"(?<![^{_EXCLUDED}'])(?<![^{_EXCLUDED}']')(?!(?<=\\)x[0-9A-Fa-f]{{2}})"
_WORD = rf"(?=[^{_EXCLUDED}'%]|%(?!40)|{_BYTE})[^{_EXCLUDED}%]*+(?:(?:%(?!40)|{_BYTE})[^{_EXCLUDED}%]*+)*+"
_LOCAL = rf"(?:\"[^\"\r\n]{{1,64}}\"|{_BEGINNING}{_WORD})"
_DOMAIN = (
    rf"(?:\[[0-9A-Fa-f:.]{{3,45}}\]"
    rf"|[_-]*(?:[^\W_]|{_BYTE})(?:[\w{_INVISIBLE}-]|[.。．](?=\w|{_BYTE})|{_BYTE}){{0,253}})"
)
_DOTTED_DOMAIN = r"(?:[\w-]+[.。．])+(?:xn--[\w-]+|[^\W\d_]{2,})"
_PASSED_ON = rf"{_BEGINNING}(?i:SRS[01])[=+-][^\s@＠﹫,;<>\"|]{{1,200}}{_SIGN}{_DOMAIN}"
ADDRESS = re.compile(
    rf"{_PASSED_ON}|{_LOCAL}(?:(?:{_SIGN}{_DOMAIN})+|(?:\s+{_SIGN}\s*|{_SIGN}\s+|=40){_DOTTED_DOMAIN})"
)
_SIGN_PATTERN = re.compile(rf"{_AT}|=40")
# The usual address as a whole cell: its normalised form is its lower case.
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,128}@[A-Za-z0-9][A-Za-z0-9.-]{0,250}[A-Za-z0-9]")
_SIGNS = ("@", "＠", "﹫", "%40", r"\u0040", "&#", "&commat;", "=40")
SIGN_BYTES = tuple(sign.encode() for sign in _SIGNS)
_ANY_SIGN = "|".join(map(re.escape, _SIGNS))


def normalised_address(address: str) -> str:
    """Return the address in its compatibility form, casefolded, without blanks and invisible marks."""
    plain = re.sub(f"[{_INVISIBLE}]", "", unicodedata.normalize("NFKC", address).replace("。", "."))
    return re.sub(r"\s", "", _SIGN_PATTERN.sub("@", plain)).casefold()


def token_key(root: Path) -> bytes:
    """Return the key of the tokens.

    The environment variable WAREHOUSE_TOKEN_KEY, else the file `token.key` in `root`. The file is created on
    first use, readable by its owner alone. Raises WarehouseError when the key is too short.
    """
    from_environment = os.environ.get(KEY_VARIABLE)
    if from_environment:
        if len(from_environment) < _SHORTEST_KEY:
            raise WarehouseError(f"{KEY_VARIABLE} is too short: give it at least {_SHORTEST_KEY} characters")
        return from_environment.encode()
    path = root / "token.key"
    try:
        if not path.exists():
            _create_key(path)
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise WarehouseError(
            f"cannot read or create {path.name} in the warehouse folder ({error.strerror or 'disk error'})"
        ) from None
    except UnicodeDecodeError:
        key = ""
    if len(key) < _SHORTEST_KEY:
        raise WarehouseError(f"{path.name} in the warehouse folder is damaged: restore it, or set {KEY_VARIABLE}")
    return key.encode()


def _create_key(path: Path) -> None:
    """Write a new key, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and linked into place, so that no other process ever reads half a key.
    temporary = path.with_name(f".token.key.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


class Tokens:
    """Replaces addresses by tokens of one key. Remembers recent ones: the same address comes many times."""

    def __init__(self, key: bytes) -> None:
        """Make tokens with this key."""
        self._key = key
        self._known: dict[str, str] = {}

    def token(self, address: str) -> str:
        """Return the token of one address."""
        known = self._known.get(address)
        if known is None:
            normal = address.lower() if _PLAIN_ADDRESS.fullmatch(address) else normalised_address(address)
            digest = hmac.digest(self._key, normal.encode("utf-8", "replace"), "sha256")
            if len(self._known) > 100_000:
                self._known.clear()
            known = self._known[address] = f"email:{digest.hex()[:_TOKEN_DIGITS]}"
        return known

    def text(self, text: str) -> str:
        """Return `text` with every address in it replaced."""
        if _PLAIN_ADDRESS.fullmatch(text):
            return self.token(text)
        if not any(sign in text for sign in _SIGNS):
            return text
        return ADDRESS.sub(lambda match: self.token(match.group()), text)

    def array(self, array: pa.Array) -> pa.Array:
        """Return a string array with every address replaced.

        Arrays without a sign cost one vectorised search.
        """
        cells = Cells(array)
        if not has_sign(cells.bytes):
            return array
        # One byte tells most columns of addresses; all signs together need a pattern, which costs more.
        is_plain = cells.is_ascii and not any(sign in cells.bytes for sign in SIGN_BYTES[1:])
        marked = pc.match_substring(array, "@") if is_plain else pc.match_substring_regex(array, _ANY_SIGN)
        if not pc.any(marked, min_count=1).as_py():
            return array
        encoded = pc.dictionary_encode(array.take(pc.indices_nonzero(marked)))
        tokens = pa.array([self.text(value) for value in encoded.dictionary.to_pylist()], pa.string())
        return pc.replace_with_mask(array, pc.fill_null(marked, False), tokens.take(encoded.indices))


def has_sign(data: bytes) -> bool:
    """Tell whether the bytes can hold an address at all."""
    return any(sign[:1] in data and sign in data for sign in SIGN_BYTES)
