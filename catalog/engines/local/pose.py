"""Head rotation from the five landmarks, with Amazon Rekognition's signs.

Roll is positive clockwise, yaw when the face looks to the viewer's right, pitch when it looks up: the signs of Amazon's
published sample answers, whose landmarks show which way each face is turned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.domain.faces import Pose

_HEAD = np.array(
    [[-32.0, -34.0, -28.0], [32.0, -34.0, -28.0], [0.0, 0.0, 0.0], [-25.0, 34.0, -22.0], [25.0, 34.0, -22.0]]
)
"""Eyes, tip of the nose and corners of the mouth of a common head, in millimetres; x right, y down, z to the viewer."""
_FIT = np.linalg.pinv(_HEAD - _HEAD.mean(axis=0))
"""Takes landmarks, less their mean, to the camera that maps the head to them best, in the least squares."""


def estimate_pose(landmarks: NDArray[np.floating]) -> Pose:
    """Pose of a face from its five landmarks, shape (5, 2), in pixels.

    Weak perspective: the affine camera that maps the common head to the landmarks (least squares) holds the first two
    rows of the rotation (DeMenthon and Davis 1995, first iteration).
    """
    points = landmarks.astype(np.float64) - landmarks.mean(axis=0)
    camera = _FIT @ points
    across, down = camera[:, 0], camera[:, 1]
    scale = (np.linalg.norm(across) + np.linalg.norm(down)) / 2
    if scale < 1e-9:
        return Pose(0.0, 0.0, 0.0)
    # The nearest true rotation to the two rows found, by singular values.
    left, _, right = np.linalg.svd(np.stack([across, down]) / scale, full_matrices=False)
    across, down = left @ right
    toward = np.cross(across, down)
    # The head's own axis that points out of the face, seen by the viewer.
    gaze = np.array([across[2], down[2], toward[2]])
    yaw = np.degrees(np.arctan2(gaze[0], gaze[2]))
    pitch = np.degrees(np.arcsin(np.clip(-gaze[1], -1, 1)))
    eyes = landmarks[1] - landmarks[0]
    roll = np.degrees(np.arctan2(eyes[1], eyes[0]))
    return Pose(roll=float(roll), yaw=float(yaw), pitch=float(pitch))
