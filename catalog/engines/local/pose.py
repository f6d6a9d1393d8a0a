"""Head rotation from the five landmarks, with Amazon Rekognition's signs.

Roll is positive clockwise, yaw is positive when the face looks to the viewer's right, pitch is positive when it looks
up. These signs follow Amazon's published sample answers, whose landmarks show the direction of each face.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.domain.faces import Pose

_HEAD = np.array(
    [[-32.0, -34.0, -28.0], [32.0, -34.0, -28.0], [0.0, 0.0, 0.0], [-25.0, 34.0, -22.0], [25.0, 34.0, -22.0]]
)
"""Eyes, tip of the nose and corners of the mouth of an average head, in mm; x right, y down, z to the viewer."""
_FIT = np.linalg.pinv(_HEAD - _HEAD.mean(axis=0))
"""Maps landmarks minus their mean to the least-squares camera of the average head."""


def estimate_pose(landmarks: NDArray[np.floating]) -> Pose:
    """Return the pose of a face from its five landmarks, shape (5, 2), in pixels.

    Weak perspective: the least-squares affine camera from the average head to the landmarks contains the first two rows
    of the rotation (DeMenthon and Davis 1995, first iteration).
    """
    points = landmarks.astype(np.float64) - landmarks.mean(axis=0)
    camera = _FIT @ points
    across, down = camera[:, 0], camera[:, 1]
    scale = (np.linalg.norm(across) + np.linalg.norm(down)) / 2
    if scale < 1e-9:
        return Pose(0.0, 0.0, 0.0)
    # The nearest true rotation to these two rows, by singular values.
    left, _, right = np.linalg.svd(np.stack([across, down]) / scale, full_matrices=False)
    across, down = left @ right
    toward = np.cross(across, down)
    # The head's axis that points out of the face, in the viewer's coordinates.
    gaze = np.array([across[2], down[2], toward[2]])
    yaw = np.degrees(np.arctan2(gaze[0], gaze[2]))
    pitch = np.degrees(np.arcsin(np.clip(-gaze[1], -1, 1)))
    eyes = landmarks[1] - landmarks[0]
    roll = np.degrees(np.arctan2(eyes[1], eyes[0]))
    return Pose(roll=float(roll), yaw=float(yaw), pitch=float(pitch))
