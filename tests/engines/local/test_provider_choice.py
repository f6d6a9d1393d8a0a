"""Providers are used only if they give the processor's results."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from catalog.domain.errors import EngineError, SettingsError
from catalog.engines.local import networks, provider_choice
from catalog.engines.local.execution_provider import CANDIDATES, CPU, CUDA, OPENVINO_CPU
from catalog.engines.local.networks import SFACE
from catalog.engines.local.provider_choice import (
    MIN_COSINE,
    Agreement,
    choose_provider,
    compare_faces,
    faces_on,
    measure_agreement,
)


@pytest.fixture(autouse=True)
def processor():
    """Every test ends on the processor, without results of self-tests."""
    yield
    networks.use_provider(CPU)
    provider_choice._tested.clear()


def claim(monkeypatch, *names):
    """Let onnxruntime say that its build has these providers."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*names, CPU.name])


def test_auto_without_a_gpu_is_the_processor(monkeypatch):
    """A build without CUDA and CoreML runs no self-test."""
    claim(monkeypatch, "AzureExecutionProvider", "OpenVINOExecutionProvider")
    assert choose_provider("auto") is CPU
    assert not provider_choice._tested


@pytest.mark.parametrize(
    ("setting", "package"),
    [("cuda", "onnxruntime-gpu"), ("openvino", "onnxruntime-openvino"), ("coreml", "onnxruntime")],
)
def test_a_provider_that_the_build_lacks_is_a_wrong_setting(monkeypatch, setting, package):
    """The sentence names the setting and the package; the provider of the process stays."""
    claim(monkeypatch)
    with pytest.raises(SettingsError, match=f'"engine.provider" is "{setting}".* package {package} ') as caught:
        choose_provider(setting)
    assert caught.value.exit_code == 2
    assert str(caught.value).count("\n") == 0
    assert networks._provider is CPU


@pytest.mark.skipif(CUDA.name in onnxruntime.get_available_providers(), reason="this build has CUDA")
def test_a_provider_that_cannot_be_started_is_refused(monkeypatch):
    """A silent fallback to the processor is an error for the named provider; ``auto`` takes the processor."""
    claim(monkeypatch, CUDA.name)
    with pytest.raises(EngineError, match='The provider "cuda" cannot be started') as caught:
        choose_provider("cuda")
    assert "engine.provider" in caught.value.remedy
    assert choose_provider("auto") is CPU


def test_a_provider_with_other_results_is_refused(monkeypatch):
    """The sentence says how far the results are apart."""
    claim(monkeypatch, CUDA.name)
    expected = faces_on(CPU)
    turned = [replace(face, vector=np.roll(face.vector, 1)) for face in expected]
    monkeypatch.setattr(provider_choice, "faces_on", lambda provider: expected if provider is CPU else turned)
    with pytest.raises(EngineError, match=r'"cuda" is refused .* lowest cosine'):
        choose_provider("cuda")
    assert networks._provider is CPU
    assert choose_provider("auto") is CPU


def test_a_provider_with_equal_results_is_used(monkeypatch):
    """``auto`` and the name select it, for every network but the one that overflows elsewhere."""
    claim(monkeypatch, CUDA.name)
    expected = faces_on(CPU)
    monkeypatch.setattr(provider_choice, "faces_on", lambda _provider: expected)
    assert choose_provider("auto") is choose_provider("cuda") is networks._provider is CUDA
    assert CUDA.runs(SFACE.file)
    assert not CUDA.runs("gender.onnx")


def test_every_difference_counts():
    """A lost face, a moved landmark, another vector and another age are outside the tolerance."""
    faces = faces_on(CPU)
    assert len(faces) == 2
    assert compare_faces(faces, faces) == Agreement((2, 2), pytest.approx(1.0), 0.0, 0.0)
    assert compare_faces(faces, faces).is_within_tolerance
    assert not compare_faces(faces, faces[:1]).is_within_tolerance
    assert not compare_faces([], []).is_within_tolerance
    first, second = faces
    landmark = first.face.landmarks[0]
    moved = (replace(landmark, x=landmark.x + 0.01), *first.face.landmarks[1:])
    age = first.face.attributes.age_range
    older = replace(first.face.attributes, age_range=replace(age, high=age.high + 3))
    ageless = replace(first.face.attributes, age_range=None)
    for changed in (
        replace(first, face=replace(first.face, landmarks=moved)),
        replace(first, face=replace(first.face, landmarks=first.face.landmarks[:5])),
        replace(first, face=replace(first.face, attributes=older)),
        replace(first, face=replace(first.face, attributes=ageless)),
        replace(first, vector=second.vector),
    ):
        assert not compare_faces(faces, [changed, second]).is_within_tolerance


def test_the_provider_of_a_block_is_not_that_of_the_process():
    """The self-test of one thread does not move the networks of others."""
    with networks.running_on(OPENVINO_CPU):
        assert networks._provider_here.get() is OPENVINO_CPU
        assert networks._provider is CPU
    assert networks._provider_here.get() is None


def test_every_provider_has_candidates():
    """The values of the setting are the keys of the table."""
    assert set(CANDIDATES) == {"auto", "cpu", "cuda", "openvino", "coreml"}


@pytest.mark.skipif(
    OPENVINO_CPU.name not in onnxruntime.get_available_providers(), reason="onnxruntime-openvino is not installed"
)
def test_openvino_agrees_with_the_processor():
    """The real provider passes its self-test."""
    assert choose_provider("openvino").setting == "openvino"
    agreement = measure_agreement(OPENVINO_CPU)
    assert agreement.is_within_tolerance
    assert MIN_COSINE < agreement.cosine < 1
