"""The face mesh: 468 points of a face, from which landmarks, eyes, mouth and pose are measured.

MediaPipe's Face Mesh (Kartynnik et al. 2019, *Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs*)
reads an upright crop. Point numbers are those of MediaPipe's canonical face model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.domain.faces import Pose
from catalog.engines.local.align import similarity_transform, warp
from catalog.engines.local.detected_face import DetectedFace
from catalog.engines.local.networks import Network

FACE_MESH = Network("face_mesh.onnx", ("pixels",), ("mesh", "flag"))
"""Upright faces, uint8 RGB (n, 192, 192, 3): points (n, 1404) in pixels of the crop, face probability (n, 1)."""

SIDE = 192
ZOOM = 1.25
"""Size of the mesh network's crop relative to :data:`FRAME`."""

FRAME = np.array([[33.6, 34.2], [77.2, 34.2], [37.0, 74.0], [73.8, 74.0]]) / 112
"""Eye centers and corners of the mouth (the viewer's left first) in fractions of an upright crop. Their mean positions
in UTKFace's aligned crops, measured with the mesh."""

CENTERS: dict[str, tuple[int, ...]] = {
    "eyeLeft": (33, 133, 159, 145),
    "eyeRight": (362, 263, 386, 374),
    "mouthLeft": (61,),
    "mouthRight": (291,),
    "nose": (1,),
    "leftEyeBrowLeft": (70,),
    "leftEyeBrowRight": (107,),
    "leftEyeBrowUp": (105,),
    "rightEyeBrowLeft": (336,),
    "rightEyeBrowRight": (300,),
    "rightEyeBrowUp": (334,),
    "leftEyeLeft": (33,),
    "leftEyeRight": (133,),
    "leftEyeUp": (159,),
    "leftEyeDown": (145,),
    "rightEyeLeft": (362,),
    "rightEyeRight": (263,),
    "rightEyeUp": (386,),
    "rightEyeDown": (374,),
    "noseLeft": (64,),
    "noseRight": (294,),
    "mouthUp": (0,),
    "mouthDown": (17,),
    "leftPupil": (33, 133, 159, 145),
    "rightPupil": (362, 263, 386, 374),
    "upperJawlineLeft": (127,),
    "midJawlineLeft": (172,),
    "chinBottom": (152,),
    "midJawlineRight": (397,),
    "upperJawlineRight": (356,),
}
"""Amazon Rekognition's 30 landmarks, in Amazon's order, as means of mesh points. A pupil has the position of the eye's
center, as in Amazon's published answers: this mesh has no iris."""

_POINTS = 468
_WEIGHTS = np.array([[(point in indices) / len(indices) for point in range(_POINTS)] for indices in CENTERS.values()])
"""Weights of the mesh's points in the landmarks, (30, 468)."""

_EYES = (((33, 133), ((160, 144), (159, 145), (158, 153))), ((362, 263), ((385, 380), (386, 374), (387, 373))))
_LIPS = ((78, 308), ((82, 87), (13, 14), (312, 317)))


@dataclass(frozen=True, slots=True, eq=False)
class FaceMesh:
    """A face's mesh: ``points`` is (468, 3) in pixels of the photo, z grows away from the viewer.

    ``presence`` is the network's probability, 0 to 1, that the crop shows a face.
    """

    points: NDArray[np.float64]
    presence: float

    def landmarks(self) -> dict[str, tuple[float, float]]:
        """Return Amazon's 30 landmarks by name, x and y in pixels of the photo."""
        return {name: (x, y) for name, (x, y) in zip(CENTERS, (_WEIGHTS @ self.points[:, :2]).tolist(), strict=True)}

    def frame_points(self) -> NDArray[np.float64]:
        """Return eye centers and corners of the mouth, (4, 2), in the order of :data:`FRAME`."""
        points = self.points[:, :2]
        return np.stack([points[[33, 133]].mean(axis=0), points[[362, 263]].mean(axis=0), points[61], points[291]])

    def eye_openings(self) -> tuple[float, float]:
        """Return the eye aspect ratio of both eyes, the viewer's left first: height over width of the opening in 3D.

        Soukupová and Čech 2016, *Real-Time Eye Blink Detection using Facial Landmarks*.
        """
        left, right = (self._ratio(width, heights) for width, heights in _EYES)
        return left, right

    def mouth_opening(self) -> float:
        """Return the gap between the inner lips over the width of the mouth, in 3D."""
        return self._ratio(*_LIPS)

    def _ratio(self, width: tuple[int, int], heights: tuple[tuple[int, int], ...]) -> float:
        across = np.linalg.norm(self.points[width[0]] - self.points[width[1]])
        gaps = [np.linalg.norm(self.points[upper] - self.points[lower]) for upper, lower in heights]
        return float(np.mean(gaps) / max(float(across), 1e-9))

    def pose(self) -> Pose:
        """Return the head rotation with Amazon's signs: roll clockwise, yaw to the viewer's right, pitch up."""
        right = self.points[[263, 454]].mean(axis=0) - self.points[[33, 234]].mean(axis=0)
        down = self.points[152] - self.points[10]
        right /= max(float(np.linalg.norm(right)), 1e-9)
        down -= right * float(right @ down)
        down /= max(float(np.linalg.norm(down)), 1e-9)
        # Direction out of the face: toward the viewer for a face that looks straight ahead.
        gaze = -np.cross(right, down)
        yaw = np.degrees(np.arctan2(gaze[0], -gaze[2]))
        pitch = np.degrees(np.arcsin(np.clip(-gaze[1], -1, 1)))
        roll = np.degrees(np.arctan2(right[1], right[0]))
        return Pose(roll=float(roll), yaw=float(yaw), pitch=float(pitch))


def upright_transform(points: NDArray[np.floating], side: int, zoom: float) -> NDArray[np.float64]:
    """Return the transform (2, 3) from the photo to an upright crop, for eyes and corners of the mouth (4, 2)."""
    return similarity_transform(points, ((FRAME - 0.5) / zoom + 0.5) * side)


def locate_meshes(pixels: NDArray[np.uint8], faces: Sequence[DetectedFace]) -> list[FaceMesh]:
    """Return the mesh of each face, located by the five landmarks of detection."""
    return locate_meshes_at(pixels, [face.landmarks[[0, 1, 3, 4]] for face in faces])


def locate_meshes_at(
    pixels: NDArray[np.uint8], frames: Sequence[NDArray[np.floating]], zoom: float = ZOOM
) -> list[FaceMesh]:
    """Return a mesh per frame. A frame holds approximate eyes and corners of the mouth, (4, 2)."""
    if not frames:
        return []
    transforms = [upright_transform(frame, SIDE, zoom) for frame in frames]
    outputs, presences = FACE_MESH.run(np.stack([warp(pixels, transform, SIDE) for transform in transforms]))
    meshes = []
    for transform, output, presence in zip(transforms, outputs, presences, strict=True):
        back = np.linalg.inv(np.vstack([transform, [0, 0, 1]]))
        points = output.reshape(-1, 3).astype(np.float64)
        flat = points[:, :2] @ back[:2, :2].T + back[:2, 2]
        depth = points[:, 2:] * float(np.hypot(back[0, 0], back[1, 0]))
        meshes.append(FaceMesh(np.concatenate([flat, depth], axis=1), float(presence[0])))
    return meshes
