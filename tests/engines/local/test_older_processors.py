"""On an emulated processor without VNNI the fastest kernels compute the same sums as the exact kernels.

A processor with VNNI cannot show an overflow of 16-bit sums. QEMU emulates Intel's Haswell: AVX2 without VNNI.
SFace is not run here: it takes more than a minute on the emulator.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys

import pytest

from catalog.engines.local.networks import WEIGHTS

EMULATOR = shutil.which("qemu-x86_64")
PROGRAM = """
import sys
import numpy, onnxruntime

def load(exact):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", exact)
    return onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])

side = int(sys.argv[2])
noise = numpy.random.default_rng(4).integers(0, 256, (1, side, side, 3), numpy.uint8)
stripes = numpy.tile(numpy.uint8([0, 255]), (1, side, side // 2 * 3)).reshape(1, side, side, 3)
fast, exact = load("0"), load("1")
name = fast.get_inputs()[0].name
for image in (noise, stripes):
    for value, expected in zip(fast.run(None, {name: image}), exact.run(None, {name: image})):
        numpy.testing.assert_array_equal(value, expected)
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="Only x86 has 16-bit sums.")
@pytest.mark.skipif(EMULATOR is None, reason="QEMU's user mode is not installed.")
@pytest.mark.parametrize(("file", "side"), [("emotions.onnx", 96), ("gender.onnx", 192)])
def test_fast_kernels_are_exact_without_vnni(file, side):
    """Noise and stripes give the same numbers, to the bit."""
    command = [EMULATOR, "-cpu", "Haswell", sys.executable, "-c", PROGRAM, str(WEIGHTS / file), str(side)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert answer.returncode == 0, answer.stderr[-500:]
