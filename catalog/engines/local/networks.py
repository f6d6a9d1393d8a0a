"""The networks that ship inside the package: inputs, outputs and loading.

A file is checked against ``weights/manifest.json`` before onnxruntime reads it. One session serves all threads of a
process. It runs on the calling thread alone, so workers do not compete for cores. Two workers that share a session were
measured to be as fast as two workers with a session each.

A process uses one provider (:func:`use_provider`), the processor by default.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from catalog.domain.errors import EngineError
from catalog.engines.local.execution_provider import CPU, ExecutionProvider

WEIGHTS = Path(__file__).with_name("weights")
_REMEDY = "Install the package again: its weight file is damaged or missing."


@dataclass(frozen=True, slots=True)
class Network:
    """A network: its file in ``weights/`` and the names of its inputs and outputs, in order."""

    file: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, *batches: NDArray[Any]) -> list[NDArray[np.float32]]:
        """Run the network on one batch per input. Returns the outputs in the order of ``outputs``."""
        feed = dict(zip(self.inputs, batches, strict=True))
        results: list[NDArray[np.float32]] = open_session(self.file).run(list(self.outputs), feed)
        return results


YUNET = Network(
    "yunet.onnx",
    ("image",),
    tuple(f"{kind}_{stride}" for stride in (8, 16, 32) for kind in ("cls", "obj", "bbox", "kps")),
)
"""Faces of RGB images: uint8 (n, rows, columns, 3), rows and columns divisible by 32."""

SFACE = Network("sface.onnx", ("face",), ("vector",))
"""Vectors of aligned RGB faces: uint8 (n, 112, 112, 3) to float32 (n, 128), not of length 1."""

SFACE_WITH_MAPS = Network("sface.onnx", ("face",), ("vector", "rows", "grid"))
"""The same network with the means of two feature maps, for attributes: float32 (n, 7168) and (n, 4096)."""


_lock = threading.Lock()
_sessions: dict[tuple[str, ExecutionProvider], onnxruntime.InferenceSession] = {}
_provider = CPU
_provider_here: ContextVar[ExecutionProvider | None] = ContextVar("_provider_here", default=None)


def use_provider(provider: ExecutionProvider) -> None:
    """Run the networks of this process on a provider from now on."""
    global _provider  # one provider serves all threads of the process
    _provider = provider


@contextmanager
def running_on(provider: ExecutionProvider) -> Iterator[None]:
    """Run the networks that the block calls on a provider; other threads keep theirs."""
    token = _provider_here.set(provider)
    try:
        yield
    finally:
        _provider_here.reset(token)


def provider_of(file: str) -> ExecutionProvider:
    """The provider that runs a network at this place."""
    chosen = _provider_here.get() or _provider
    return chosen if chosen.runs(file) else CPU


def open_session(file: str) -> onnxruntime.InferenceSession:
    """Return the process's session of a network. The first call loads it.

    Raises :class:`EngineError` if the file is missing or its SHA-256 is not in the manifest, and if the provider
    cannot be used.
    """
    key = (file, provider_of(file))
    session = _sessions.get(key)
    if session is None:
        with _lock:
            session = _sessions.get(key)
            if session is None:
                session = _load(*key)
                _sessions[key] = session
    return session


_FATAL = 4
"""Level of onnxruntime's log."""


def _load(file: str, provider: ExecutionProvider) -> onnxruntime.InferenceSession:
    """Load a network.

    Inputs of the integer layers have so few bits that the fastest kernels of every processor compute the same sums
    (``tools.quantize``).
    """
    data = read_checked(file, WEIGHTS)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    providers: list[Any] = [CPU.name]
    if provider is not CPU:
        # Layers that the provider does not know run on the processor. Its messages are errors of this program below.
        providers.insert(0, (provider.name, dict(provider.options)))
        onnxruntime.set_default_logger_severity(_FATAL)
    try:
        session = onnxruntime.InferenceSession(data, options, providers=providers)
    except Exception as error:  # onnxruntime raises its own unrelated classes
        if provider is CPU:
            raise EngineError(f'The network "{file}" cannot be loaded: {error}', remedy=_REMEDY) from error
        raise _provider_error(provider, str(error)) from error
    if provider.name not in session.get_providers():
        raise _provider_error(provider, "onnxruntime fell back to the processor")
    return session


def _provider_error(provider: ExecutionProvider, reason: str) -> EngineError:
    return EngineError(
        f'The provider "{provider.setting}" cannot be started: {reason.splitlines()[0]}.',
        remedy='Install its drivers and libraries, or set engine.provider to "cpu".',
    )


def read_checked(file: str, folder: Path) -> bytes:
    """Return the bytes of a weight file. Raises :class:`EngineError` if they differ from the shipped file."""
    try:
        digests: dict[str, str] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        data = (folder / file).read_bytes()
    except (OSError, ValueError) as error:
        raise EngineError(f'The weight file "{file}" cannot be read: {error}', remedy=_REMEDY) from error
    if hashlib.sha256(data).hexdigest() != digests.get(file):
        raise EngineError(f'The weight file "{file}" differs from the shipped file.', remedy=_REMEDY)
    return data
