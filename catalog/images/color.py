"""Conversion of pixels of every kind to 8-bit sRGB."""

from __future__ import annotations

import threading
from collections import OrderedDict
from io import BytesIO
from typing import cast

import numpy as np
from PIL import Image, ImageCms
from PIL.ImageCms import ImageCmsTransform

BACKGROUND = (255, 255, 255)
"""Color behind transparent pixels."""

_PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_REMEMBERED = 16
_BLOCK_PIXELS = 1 << 18


def plain(image: Image.Image) -> Image.Image:
    """Convert to ``L``, ``RGB`` or ``CMYK``: no palette, no transparency, 8 bits a channel."""
    if image.mode in ("L", "RGB") and "transparency" in image.info:
        image = image.convert("RGBA")
    elif image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode[0] in "IF":
        image = _eight_bits(image)
    if image.mode in ("L", "RGB", "CMYK"):
        return image
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        return _on_background(image)
    if image.mode == "LAB":
        return _of_lab(image)
    return image.convert("RGB")


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert a plain image to sRGB, through its ICC profile if the profile fits the image."""
    if profile:
        transform = _transforms.get(profile, image.mode)
        if transform is not None:
            return transform.apply(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _on_background(image: Image.Image) -> Image.Image:
    layer = image if image.mode == "RGBA" else image.convert("RGBA")
    flat = Image.new("RGB", layer.size, BACKGROUND)
    flat.paste(layer, mask=layer.getchannel("A"))
    return flat


def _eight_bits(image: Image.Image) -> Image.Image:
    """Convert 16-bit, 32-bit and floating-point gray. Pillow's own conversion would clip at 255.

    Blocks of rows keep the memory small: a hostile photo would otherwise need five times its own size.
    """
    values = np.asarray(image)
    rows = max(1, _BLOCK_PIXELS // max(1, image.width))
    blocks = [values[start : start + rows] for start in range(0, image.height, rows)]
    top = max((float(_finite(block).max(initial=0)) for block in blocks), default=0.0)
    if values.dtype.kind == "f":
        white = 1.0 if top <= 1 else 255.0 if top <= 255 else top
    elif image.mode.startswith("I;16") or 255 < top <= 65535:
        white = 65535.0
    else:
        white = max(top, 255.0)
    gray = np.empty(values.shape, np.uint8)
    for index, block in enumerate(blocks):
        scaled = _finite(block).astype(np.float32) * (255.0 / white) + 0.5
        gray[index * rows : index * rows + len(block)] = np.clip(scaled, 0, 255)
    return Image.fromarray(gray)


def _finite(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind != "f":
        return values
    return cast("np.ndarray", np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0))


def _of_lab(image: Image.Image) -> Image.Image:
    lab = ImageCms.createProfile("LAB")
    return cast("Image.Image", ImageCms.profileToProfile(image, lab, _srgb(), outputMode="RGB"))


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


class _Transforms(threading.local):
    """Transforms by profile, for one thread, because a transform of Little CMS holds a cache of pixels."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[bytes, str], ImageCmsTransform | None] = OrderedDict()

    def get(self, profile: bytes, mode: str) -> ImageCmsTransform | None:
        """Transform from a profile to sRGB; None if the image is sRGB already or the profile cannot be used."""
        key = profile, mode
        if key not in self._known:
            self._known[key] = _transform(profile, mode)
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]


_transforms = _Transforms()


def _transform(icc: bytes, mode: str) -> ImageCmsTransform | None:
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(icc))
        space = profile.profile.xcolor_space.strip()
        name = ImageCms.getProfileDescription(profile).strip()
        if _PROFILE_MODES.get(space) != mode or (mode == "RGB" and name.startswith("sRGB")):
            return None
        return ImageCms.buildTransform(profile, _srgb(), mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None  # a damaged profile changes colors slightly; the photo is still usable
