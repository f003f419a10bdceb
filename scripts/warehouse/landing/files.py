"""Files before their contents.

Which files a call names, what kind each is, and a bounded stream of its bytes.
"""

import gzip
import hashlib
import os
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import IO, cast

from warehouse.landing.messages import FileRejectedError, shown_file

TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
BINARY_SUFFIXES = (".xlsx", ".parquet")
CONTAINER_SUFFIXES = (".gz", ".zip")
DATA_SUFFIXES = TEXT_SUFFIXES + JSON_SUFFIXES + BINARY_SUFFIXES
# For people: what can be landed.
FILE_TYPES = f"{', '.join((*DATA_SUFFIXES, CONTAINER_SUFFIXES[0]))} or {CONTAINER_SUFFIXES[1]}"

LARGEST_FILE = 64 * 2**30
LARGEST_WORKBOOK = 512 * 2**20
# Exports compress 5 to 50 times; a bomb 1,000 times. Small outputs are let be.
LARGEST_RATIO = 300
RATIO_FREE_BYTES = 32 * 2**20
CHUNK_BYTES = 4 * 2**20

_MAGIC = (
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"\x1f\x8b", "a gzip file"),
    (b"%PDF", "a PDF"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls): save it as .xlsx or .csv"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"BZh", "a bzip2 file"),
    (b"\x28\xb5\x2f\xfd", "a zstd file"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"SQLite format 3", "a SQLite database"),
    (b"\x7fELF", "a program"),
    (b"{\\rtf", "a rich-text document"),
)
_MARKUP_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<script")


@dataclass(frozen=True)
class Delivered:
    """One file of a call. `name` is the base name shown and stored, `path` where it lies."""

    path: Path
    name: str
    is_from_folder: bool


@dataclass(frozen=True)
class Contents:
    """What a checked file holds: kind `text`, `json`, `xlsx` or `parquet`.

    `name` with the archive member, if any.
    """

    path: Path
    name: str
    inner_name: str
    kind: str
    container: str
    sha256: str
    size: int


def data_suffix(name: str) -> str:
    """Return the suffix that says what the contents are: of `orders.csv.gz` it is `.csv`; `` when unknown."""
    path = PurePosixPath(name.lower())
    if path.suffix in CONTAINER_SUFFIXES:
        inner = PurePosixPath(path.stem).suffix
        return inner if inner in DATA_SUFFIXES else path.suffix
    return path.suffix if path.suffix in DATA_SUFFIXES else ""


def list_files(paths: list[Path]) -> tuple[list[Delivered], list[tuple[str, str]]]:
    """Return the files that `paths` name, in a fixed order, and what was passed over in folders, and why.

    A folder stands for every file below it; links are never followed. Base names that occur twice get their
    folder's name in front, so that every file of a call has its own name.
    """
    found: list[tuple[Path, bool]] = []
    skipped: list[tuple[str, str]] = []
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            for folder, folders, names in os.walk(path, followlinks=False):
                folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
                for name in sorted(names):
                    if name.startswith("."):
                        continue
                    if data_suffix(name):
                        found.append((Path(folder) / name, True))
                    else:
                        skipped.append((shown_file(name), "not an export: unknown file type"))
        else:
            found.append((path, False))
    names = [path.name for path, _ in found]
    delivered = []
    taken: set[str] = set()
    for path, is_from_folder in found:
        name = shown_file(path.name)
        if names.count(path.name) > 1:
            name = shown_file(f"{path.absolute().parent.name}/{path.name}")
        number = 2
        base = name
        while name in taken:
            name = f"{base} ({number})"
            number += 1
        taken.add(name)
        delivered.append(Delivered(path, name, is_from_folder))
    return delivered, skipped


def _check_name(name: str) -> None:
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name):
        raise FileRejectedError("the file name holds control characters: rename the file")
    if any("\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069" for character in name):
        raise FileRejectedError("the file name holds characters that turn the writing direction: rename the file")


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a regular file for reading, following no link and never waiting (a FIFO would hang)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise FileRejectedError("there is no such file") from None
    except (OSError, ValueError):
        reason = "cannot be opened: check that it is readable"
        if path.is_symlink():
            reason = "is a symbolic link: give the file itself"
        raise FileRejectedError(reason) from None
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise FileRejectedError("is a folder with the name of a file")
        if not stat.S_ISREG(mode):
            raise FileRejectedError("is not a regular file")
        yield file


def _check_start(start: bytes, suffix: str) -> None:
    for magic, what in _MAGIC:
        if start.startswith(magic):
            raise FileRejectedError(f"is {what}, not a {suffix} file")
    plain = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if plain.startswith(_MARKUP_STARTS):
        raise FileRejectedError(f"is a web page or XML, not a {suffix} file: the download may have failed")


def check_file(delivered: Delivered) -> Contents:
    """Check name, type, size and first bytes of a file before its contents are read, and hash it.

    Raises FileRejectedError with the reason. The hash is SHA-256 over the bytes as delivered.
    """
    path = delivered.path
    _check_name(path.name)
    lowered = path.name.lower()
    suffix = data_suffix(lowered)
    if not suffix:
        if not os.path.lexists(path):
            raise FileRejectedError("there is no such file or folder")
        raise FileRejectedError(f"has an unknown file type: give {FILE_TYPES}")
    container = next((each[1:] for each in CONTAINER_SUFFIXES if lowered.endswith(each)), "")
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise FileRejectedError("is empty: not even a header")
        if size > LARGEST_FILE:
            raise FileRejectedError(f"is larger than {LARGEST_FILE // 2**30} GiB: split it")
        start = file.read(64)
        file.seek(0)
        try:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            raise FileRejectedError("cannot be read to its end") from None
    name, inner = delivered.name, path.name
    if container == "gz":
        if not start.startswith(b"\x1f\x8b"):
            raise FileRejectedError("is not a gzip file")
        inner = name_inside(path)
        if suffix == ".gz":
            raise FileRejectedError("does not say what is inside: name it like orders.csv.gz")
    elif container == "zip":
        if not start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            raise FileRejectedError("is not a ZIP archive")
        inner = name_inside(path)
        name = shown_file(f"{delivered.name}/{inner}")
        suffix = data_suffix(inner)
        if PurePosixPath(inner.lower()).suffix not in DATA_SUFFIXES:
            raise FileRejectedError(
                "the file inside the archive has an unknown type: it must be .csv, .tsv, .txt or .jsonl"
            )
    kind = "text" if suffix in TEXT_SUFFIXES else "json" if suffix in JSON_SUFFIXES else suffix[1:]
    if kind in ("xlsx", "parquet"):
        if container:
            raise FileRejectedError(f"holds a {suffix} file: unpack it first")
        if kind == "xlsx" and not start.startswith(b"PK\x03\x04"):
            raise FileRejectedError("is not an Excel workbook (.xlsx)")
        if kind == "xlsx" and size > LARGEST_WORKBOOK:
            raise FileRejectedError("is a workbook of more than 512 MiB: save it as .csv")
        if kind == "parquet" and not start.startswith(b"PAR1"):
            raise FileRejectedError("is not a Parquet file")
    elif not container:
        _check_start(start, suffix)
    return Contents(path, name, inner, kind, container, digest, size)


def name_inside(path: Path) -> str:
    """Return the name by which a file is matched, the one inside where it is compressed.

    Raises FileRejectedError for an archive that does not tell.
    """
    lowered = path.name.lower()
    if lowered.endswith(".zip"):
        return PurePosixPath(_only_member(path).filename).name
    return path.name[:-3] if lowered.endswith(".gz") else path.name


def _only_member(path: Path) -> zipfile.ZipInfo:
    """Return the one file of an archive. Its path inside the archive is never used to write anything."""
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            members = [
                member
                for member in archive.infolist()
                if not member.is_dir() and not member.filename.startswith("__MACOSX/")
            ]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError, OverflowError):
        raise FileRejectedError("is a damaged ZIP archive") from None
    if len(members) != 1:
        raise FileRejectedError(f"holds {len(members)} files: an archive must hold exactly one")
    member = members[0]
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    if ".." in parts or member.filename.startswith(("/", "\\")) or (parts and ":" in parts[0]):
        raise FileRejectedError("the archive climbs out of its folder: not taken")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise FileRejectedError("the archive holds a link, not a file")
    if member.flag_bits & 1:
        raise FileRejectedError("the archive is encrypted: unpack it first")
    _check_name(PurePosixPath(member.filename).name)
    return member


def read_chunks(contents: Contents) -> Iterator[bytes]:
    """Yield the unpacked bytes of a text or JSON file in chunks, bounded in total and in ratio.

    Raises FileRejectedError for a damaged or swelling archive and for a file that changes while it is read.
    """
    with open_regular(contents.path) as file:
        before = os.fstat(file.fileno())
        if before.st_size != contents.size:
            raise FileRejectedError("changed while it was being read: deliver it again when it is complete")
        if contents.container:
            yield from _unpacked(file, contents)
        else:
            try:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
            except OSError:
                raise FileRejectedError("cannot be read to its end") from None
        after = os.fstat(file.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise FileRejectedError("changed while it was being read: deliver it again when it is complete")


def _unpacked(file: IO[bytes], contents: Contents) -> Iterator[bytes]:
    total = 0
    is_first = True
    try:
        if contents.container == "gz":
            stream = cast(IO[bytes], gzip.GzipFile(fileobj=file))
        else:
            archive = zipfile.ZipFile(file)
            member = next(
                each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")
            )
            stream = archive.open(member)
        with stream:
            while chunk := stream.read(CHUNK_BYTES):
                total += len(chunk)
                if total > LARGEST_FILE or (total > RATIO_FREE_BYTES and total > LARGEST_RATIO * contents.size):
                    raise FileRejectedError("swells too far when unpacked: unpack it and deliver the file inside")
                if is_first:
                    _check_start(chunk[:64], data_suffix(contents.inner_name))
                    is_first = False
                yield chunk
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError, StopIteration):
        raise FileRejectedError("is a damaged archive: it cannot be unpacked to its end") from None
    except (RuntimeError, ValueError, OSError):
        raise FileRejectedError("is an archive that cannot be unpacked") from None
    if total == 0:
        raise FileRejectedError("holds an empty file: not even a header")
