"""Name of the model that makes a gallery's vectors, and the models whose vectors are comparable."""

from __future__ import annotations

_EMBEDDER = "sface-2021dec"
_SEVEN_BIT_EMBEDDER = "sface-2021dec-7bit"
MODEL = f"yunet-2023mar/facemesh/{_SEVEN_BIT_EMBEDDER}"
"""SFace with 7-bit inputs of its integer layers. Galleries of earlier versions, named without "-7bit", have vectors of
SFace with 8-bit inputs. The two vectors of a face have a mean cosine of .996, and true matches of old against new
vectors are accepted as often as within either form (MODELS.md), so such galleries stay in use."""


def are_comparable(stored: str, current: str) -> bool:
    """Return True if vectors of the model ``stored`` can be compared with vectors of the model ``current``."""
    return _without_precision(stored) == _without_precision(current)


def _without_precision(model: str) -> str:
    return "/".join(_EMBEDDER if part == _SEVEN_BIT_EMBEDDER else part for part in model.split("/"))
