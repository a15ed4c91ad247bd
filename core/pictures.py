"""What people send as proof: taken for a picture by its content alone, never by its name or by what it says it is."""

from collections.abc import Mapping

# Bytes. A photo of a phone, as messengers pass it on, has some hundred thousand.
MOST = 5 * 1024 * 1024
# Where a picture can be sent to us.
PICTURE_CHANNELS = frozenset({"whatsapp", "telegram"})

# How a file of the type begins, and ends where that is certain. PNG: https://www.w3.org/TR/png-3/#5PNG-file-signature;
# JPEG: ITU T.81, B.1.1.3; WebP: RFC 9649, 2.4. Nothing that can carry scripts (SVG, PDF) is among them.
_FORMS: Mapping[str, tuple[bytes, bytes]] = {
    "image/png": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", b"IEND\xaeB`\x82"),
    "image/jpeg": (b"\xff\xd8\xff", b""),
}


def media_type(content: bytes) -> str | None:
    """Of a picture that a browser shows; None for anything else, and for what is too large."""
    if not 32 <= len(content) <= MOST:
        return None
    for name, (begin, end) in _FORMS.items():
        if content.startswith(begin) and content.endswith(end):
            return name
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp" if int.from_bytes(content[4:8], "little") + 8 == len(content) else None
    return None
