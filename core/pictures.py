"""Uploaded pictures: read with suspicion and written anew, so that nothing but pixels is ever served.

PNG, JPEG and WebP of at most 512 KB. What else hides in a file (EXIF with places, scripts behind the last pixel, colour
profiles) does not survive; a picture that would fill the memory, one that moves, and SVG are refused.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import BusinessError

MAX_BYTES = 512 * 1024
MAX_PIXELS = 24_000_000
FORMATS = {"PNG": ("png", "image/png"), "JPEG": ("jpg", "image/jpeg"), "WEBP": ("webp", "image/webp")}
CONTENT_TYPES = dict(FORMATS.values())


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as written by us: its name is the SHA-256 of ``data`` with the ending; sizes in pixels."""

    name: str
    content_type: str
    width: int
    height: int
    data: bytes


def _refused(code: str, words: str) -> BusinessError:
    return BusinessError(code, words)


def read_picture(data: bytes, *, longest: int, square: bool = False) -> Picture:
    """The picture in ``data`` written anew, no side longer than ``longest``; ``square`` fits it into a square PNG.

    Raises BusinessError ``picture_too_large``, ``picture_unreadable``, ``picture_format`` or ``picture_moves``.
    """
    if len(data) > MAX_BYTES:
        raise _refused("picture_too_large", _("The picture is larger than 512 KB. Make it smaller and try again."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(data), formats=tuple(FORMATS)) as opened:
                kind = str(opened.format)
                _check(opened)
                opened.load()
                picture = ImageOps.exif_transpose(opened)
                return _written(_plain(picture), "PNG" if square else kind, longest, square=square)
    except BusinessError:
        raise
    except UnidentifiedImageError as error:
        raise _refused("picture_format", _("Only PNG, JPEG and WebP pictures can be used.")) from error
    except Exception as error:
        # Damaged files make the library fail in many ways; for whoever uploads they are all the same.
        raise _refused("picture_unreadable", _("This picture is damaged or too large to be read.")) from error


def _check(opened: Image.Image) -> None:
    """Before anything is unpacked: how large it would be, and whether it moves."""
    if opened.width * opened.height > MAX_PIXELS:
        raise _refused("picture_too_large", _("The picture has too many pixels. Make it smaller and try again."))
    if getattr(opened, "n_frames", 1) > 1:
        raise _refused("picture_moves", _("Pictures that move cannot be used."))


def _plain(picture: Image.Image) -> Image.Image:
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    return picture.convert("RGBA" if has_alpha else "RGB")


def _written(picture: Image.Image, kind: str, longest: int, *, square: bool) -> Picture:
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    if square:
        canvas = Image.new("RGBA", (longest, longest), (0, 0, 0, 0))
        canvas.paste(picture, ((longest - picture.width) // 2, (longest - picture.height) // 2))
        picture = canvas
    data = _encoded(picture, kind)
    if len(data) > MAX_BYTES:
        kind = "WEBP"
        data = _encoded(picture, kind)
    if len(data) > MAX_BYTES:
        raise _refused("picture_too_large", _("The picture is larger than 512 KB. Make it smaller and try again."))
    ending, content_type = FORMATS[kind]
    name = f"{hashlib.sha256(data).hexdigest()}.{ending}"
    return Picture(name, content_type, picture.width, picture.height, data)


def _encoded(picture: Image.Image, kind: str) -> bytes:
    # A fresh picture of the same pixels carries none of the former one's notes.
    clean = Image.frombytes(picture.mode, picture.size, picture.tobytes())
    if kind == "JPEG" and clean.mode == "RGBA":
        clean = clean.convert("RGB")
    buffer = io.BytesIO()
    if kind == "PNG":
        clean.save(buffer, format=kind, optimize=True)
    else:
        clean.save(buffer, format=kind, quality=86)
    return buffer.getvalue()
