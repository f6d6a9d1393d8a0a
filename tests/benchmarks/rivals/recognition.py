"""The loops of other libraries for ``speed.py``. Runs in its own environment and imports nothing of catalog.

    python recognition.py {opencv|dlib} MODELS_FOLDER PHOTOS_FOLDER

Reads the photos, detects their faces and computes their vectors, as in the library's own examples. Prints JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def run_opencv(models: Path, photos: list[Path]) -> int:
    import cv2

    detector = cv2.FaceDetectorYN.create(str(models / "yunet.onnx"), "", (320, 320), 0.8, 0.3, 5000)
    recognizer = cv2.FaceRecognizerSF.create(str(models / "sface.onnx"), "")
    count = 0
    for photo in photos:
        image = cv2.imread(str(photo))
        detector.setInputSize((image.shape[1], image.shape[0]))
        _, faces = detector.detect(image)
        for face in faces if faces is not None else ():
            recognizer.feature(recognizer.alignCrop(image, face))
            count += 1
    return count


def run_dlib(_: Path, photos: list[Path]) -> int:
    import dlib
    import face_recognition_models as models
    import numpy as np
    from PIL import Image

    detector = dlib.get_frontal_face_detector()
    shape = dlib.shape_predictor(models.pose_predictor_model_location())
    encoder = dlib.face_recognition_model_v1(models.face_recognition_model_location())
    count = 0
    for photo in photos:
        with Image.open(photo) as image:
            pixels = np.array(image.convert("RGB"))
        # face_recognition.face_locations and face_encodings with their defaults: upsample once, large landmarks.
        for face in detector(pixels, 1):
            encoder.compute_face_descriptor(pixels, shape(pixels, face), 1)
            count += 1
    return count


def main() -> None:
    library, models, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    photos = sorted(folder.iterdir())
    run = {"opencv": run_opencv, "dlib": run_dlib}[library]
    run(models, photos[:2])
    started, processor = time.perf_counter(), time.process_time()
    faces = run(models, photos)
    elapsed = time.perf_counter() - started
    used = time.process_time() - processor
    print(json.dumps({"photos": len(photos), "faces": faces, "seconds": elapsed, "cpu_seconds": used}))


if __name__ == "__main__":
    main()
