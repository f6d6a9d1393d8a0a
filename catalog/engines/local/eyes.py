"""Eyes: whether they are open, and where they look, from two small crops placed by the face mesh.

The eyelids of the mesh alone miss winks and some closed eyes, so a small network reads the pixels of each eye, too. It
was taught by MediaPipe's iris network (Ablavatski et al. 2020, *Real-time Pupil Tracking from Monocular Video for
Digital Puppetry*), which would cost more than the face mesh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.engines.local.align import warp
from catalog.engines.local.mesh import FaceMesh
from catalog.engines.local.networks import Network

EYES = Network("eyes.onnx", ("pixels",), ("iris", "open"))
"""Eyes at the viewer's left, or mirrored, uint8 gray (n, 32, 32): the iris relative to the middle of the corners, in
widths of the eye (n, 2), and log-odds of open (n, 1)."""

EYE_SIDE = 32
EYE_ZOOM = 2.3
"""Side of the crop in widths of the eye."""
CORNERS = ((33, 133), (362, 263))
"""Mesh points of the corners of both eyes, from the viewer's left to right."""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)

_RADIUS = 0.4
"""Radius of the eyeball in widths of the eye: 12 of 30 mm."""
_DEPTH = 0.7
"""Depth of the eye's corners before the center of the eyeball, in radii. Not measured."""
_SPREAD = 15.0
"""Degrees between the yaws of both eyes at which the confidence of the direction falls to 37 %. Not measured."""
_MAX_CONFIDENCE = 0.8
"""Highest confidence of the direction, which was not measured against true directions."""
_MESH_WEIGHT, _MESH_EVEN = 40.0, 0.18
"""Log-odds per unit of the mesh's eye aspect ratio, and the ratio that says nothing. Chosen on LFW's labels."""
_CERTAIN = 6.0
"""Log-odds of one eye are clipped here, so that a wink is uncertain."""
_DISAGREEMENT = 0.25
"""Share of the difference of both eyes that counts against open eyes: a wink is hardly open. Not measured."""


@dataclass(frozen=True, slots=True)
class EyeReading:
    """Log-odds that the eyes are open, and their direction in degrees with the signs of ``Pose``.

    ``agreement`` is the share, 0 to 1, to which both eyes confirm the direction.
    """

    is_open: float
    yaw: float
    pitch: float
    agreement: float


def eye_transform(left: NDArray[np.floating], right: NDArray[np.floating], side: int) -> NDArray[np.float64]:
    """Return the transform (2, 3) from the photo to a crop of an eye with these corners, (2,) each."""
    across = right - left
    width = max(float(np.hypot(*across)), 1e-6)
    scale = side / (width * EYE_ZOOM)
    cos, sin = across / width * scale
    turn = np.array([[cos, sin], [-sin, cos]])
    return np.concatenate([turn, ((side - 1) / 2 - turn @ ((left + right) / 2))[:, None]], axis=1)


def crop_eyes(pixels: NDArray[np.uint8], mesh: FaceMesh, side: int = EYE_SIDE) -> NDArray[np.uint8]:
    """Return gray crops of both eyes, uint8 (2, side, side); the eye at the viewer's right is mirrored."""
    crops = [
        warp(pixels, eye_transform(mesh.points[left, :2], mesh.points[right, :2], side), side) @ LUMA
        for left, right in CORNERS
    ]
    return np.stack([crops[0], crops[1][:, ::-1]]).round().astype(np.uint8)


def read_eyes(pixels: NDArray[np.uint8], meshes: Sequence[FaceMesh]) -> list[EyeReading]:
    """Return the reading of every mesh. ``pixels`` is the upright photo, RGB."""
    if not meshes:
        return []
    iris, is_open = EYES.run(np.concatenate([crop_eyes(pixels, mesh) for mesh in meshes]))
    return [
        _combine(mesh, iris[2 * index : 2 * index + 2], is_open[2 * index : 2 * index + 2, 0])
        for index, mesh in enumerate(meshes)
    ]


def _combine(mesh: FaceMesh, iris: NDArray[np.float32], is_open: NDArray[np.float32]) -> EyeReading:
    """Combine both eyes. The far eye of a turned head counts less: its weight is the square of its apparent width."""
    widths = np.array([np.hypot(*(mesh.points[right, :2] - mesh.points[left, :2])) for left, right in CORNERS])
    weights = (widths / max(float(widths.max()), 1e-9)) ** 2
    weights /= weights.sum()
    by_mesh = _MESH_WEIGHT * (np.array(mesh.eye_openings()) - _MESH_EVEN)
    odds_by_eye = np.clip(is_open + by_mesh, -_CERTAIN, _CERTAIN)
    odds = float(odds_by_eye @ weights - _DISAGREEMENT * abs(odds_by_eye[0] - odds_by_eye[1]))
    pose = mesh.pose()
    to_right = iris[:, 0].astype(np.float64) * [1, -1]
    # The corners lie before the center of the eyeball and move with the head.
    across = to_right * np.cos(np.radians(pose.yaw)) / _RADIUS + _DEPTH * np.sin(np.radians(pose.yaw))
    up = -iris[:, 1].astype(np.float64) / _RADIUS + _DEPTH * np.sin(np.radians(pose.pitch))
    yaws, pitches = (np.degrees(np.arcsin(np.clip(sines, -1, 1))) for sines in (across, up))
    agreement = float(np.exp(-np.abs(yaws[0] - yaws[1]) / _SPREAD))
    return EyeReading(odds, float(yaws @ weights), float(pitches @ weights), _MAX_CONFIDENCE * agreement)
