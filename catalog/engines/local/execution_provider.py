"""Where the networks run: the processor, or hardware that a build of onnxruntime supports."""

from __future__ import annotations

from dataclasses import dataclass

PROCESSOR_ONLY = frozenset({"gender.onnx"})
"""Networks that always run on the processor. With 8-bit inputs OpenVINO's kernels moved the log-odds of the gender
network by up to 1.2; with the present inputs they were not measured."""


@dataclass(frozen=True, slots=True)
class ExecutionProvider:
    """A provider of onnxruntime. ``options`` ask for single precision: others round to 16 bits or less."""

    setting: str
    """The value of ``engine.provider``."""
    name: str
    """Name in onnxruntime."""
    package: str
    """Package of PyPI whose build of onnxruntime has it."""
    options: tuple[tuple[str, str], ...] = ()

    def runs(self, file: str) -> bool:
        """Return True if the network of a weight file runs on this provider instead of the processor."""
        return self is not CPU and file not in PROCESSOR_ONLY


CPU = ExecutionProvider("cpu", "CPUExecutionProvider", "onnxruntime")
CUDA = ExecutionProvider(
    "cuda",
    "CUDAExecutionProvider",
    "onnxruntime-gpu",
    # Photos have many sizes: a search for the fastest kernel of each size takes longer than it saves.
    (("use_tf32", "0"), ("cudnn_conv_algo_search", "HEURISTIC")),
)
OPENVINO_GPU, OPENVINO_CPU = (
    ExecutionProvider(
        "openvino",
        "OpenVINOExecutionProvider",
        "onnxruntime-openvino",
        (("device_type", device), ("precision", "FP32")),
    )
    for device in ("GPU", "CPU")
)
COREML = ExecutionProvider(
    "coreml",
    "CoreMLExecutionProvider",
    "onnxruntime",
    # Apple's neural engine computes in 16 bits.
    (("ModelFormat", "MLProgram"), ("MLComputeUnits", "CPUAndGPU")),
)
CANDIDATES = {
    "auto": (CUDA, COREML),
    "cpu": (CPU,),
    "cuda": (CUDA,),
    "openvino": (OPENVINO_GPU, OPENVINO_CPU),
    "coreml": (COREML,),
}
"""Providers by the value of ``engine.provider``, in the order in which they are tried."""
