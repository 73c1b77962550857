"""Reads so much of a PFX file's encoding as tells how much work it asks for, before anything of it is opened.

ASN.1 in DER or BER (X.690): a tag, a length (none given: up to two zero bytes), the content. Nothing here raises.
"""

DEPTH = 24
OCTETS, INTEGER = 0x04, 0x02
CONSTRUCTED, END = 0x20, b"\x00\x00"

Part = tuple[int, bytes]


def rounds_of(data: bytes, depth: int = DEPTH) -> int:
    """The sum of all rounds in which keys are derived: the number that follows a salt in the same sequence.

    What is inside an encrypted part is not seen.
    """
    total = 0
    before = 0
    for tag, content in _parts(data):
        if tag == INTEGER and before & ~CONSTRUCTED == OCTETS:
            total += int.from_bytes(content[:16], "big")
        elif depth and (tag & CONSTRUCTED or tag == OCTETS):
            total += rounds_of(_joined(tag, content, depth), depth - 1)
        before = tag
    return total


def _joined(tag: int, content: bytes, depth: int) -> bytes:
    """The content of a part; that of octets which come in pieces is put together."""
    if tag != OCTETS | CONSTRUCTED or not depth:
        return content
    return b"".join(_joined(piece_tag, piece, depth - 1) for piece_tag, piece in _parts(content))


def _parts(data: bytes) -> list[Part]:
    """The parts that ``data`` is made of, as (tag, content); none if it is not made of such parts."""
    found: list[Part] = []
    at = 0
    while at < len(data) and data[at : at + 2] != END:
        part = _part(data, at)
        if part is None:
            return found
        tag, content, at = part
        found.append((tag, content))
    return found


def _part(data: bytes, at: int) -> tuple[int, bytes, int] | None:
    """The part that begins at ``at``, and where the next one does; None if there is none."""
    if at + 2 > len(data) or data[at] & 0x1F == 0x1F:
        return None
    tag, length, start = data[at], data[at + 1], at + 2
    if length == 0x80:
        return _endless(data, tag, start)
    if length > 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    end = start + length
    return (tag, data[start:end], end) if end <= len(data) else None


def _endless(data: bytes, tag: int, start: int) -> tuple[int, bytes, int] | None:
    """A part without a length: all parts up to two zero bytes."""
    at, open_parts = start, 1
    while at < len(data):
        if data[at : at + 2] == END:
            at, open_parts = at + 2, open_parts - 1
            if not open_parts:
                return tag, data[start : at - 2], at
        elif at + 1 < len(data) and data[at + 1] == 0x80:
            at, open_parts = at + 2, open_parts + 1
        else:
            part = _part(data, at)
            if part is None:
                return None
            at = part[2]
    return None
