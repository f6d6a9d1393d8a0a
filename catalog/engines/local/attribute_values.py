"""Turn outputs of the attribute networks into values with calibrated confidences.

A calibration is a line from a measured number to log-odds, fitted on data (``weights/MODELS.md`` names the data and the
accuracy). Where something covers the measured part of a face, the confidence falls toward 50.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.domain.faces import AgeRange, BooleanAttribute, Emotion, EmotionType, Gender, GenderValue
from catalog.domain.log_odds import log_odds, share_of_odds
from catalog.engines.local.networks import WEIGHTS, read_checked

EMOTIONS = (
    EmotionType.ANGRY,
    EmotionType.DISGUSTED,
    EmotionType.FEAR,
    EmotionType.HAPPY,
    EmotionType.SAD,
    EmotionType.SURPRISED,
    EmotionType.CALM,
)
"""The network's outputs, in the order of FER2013's labels. FER2013's neutral is Amazon's CALM."""

EMOTION_CLIP = 1e-6
"""Probabilities of emotions are clipped to this distance from 0 and 1."""
MAX_CONFUSED = 10.0
"""Highest confidence of CONFUSED, below every first emotion: it is not measured."""


@cache
def calibration() -> dict[str, Any]:
    """Return the numbers that turn network outputs into percentages. ``tools.fit_attributes`` fits them."""
    numbers: dict[str, Any] = json.loads(read_checked("attributes.json", WEIGHTS))
    return numbers


def read_age(output: NDArray[np.float32]) -> AgeRange:
    """Return the central age range that contains the true age of four faces in five.

    The share cut off at both ends depends on the mean age. It was fitted by regions of the scale, on faces that the
    network was not trained on (split conformal prediction).
    """
    numbers = calibration()["age"]
    low, high = age_bounds(output, age_tail(output, numbers["means"], numbers["tails"]))
    return AgeRange(round(low), round(high))


def age_tail(output: NDArray[np.float32], means: list[float], tails: list[float]) -> float:
    """Return the share to cut off at both ends, between the fitted ``tails`` of regions with these mean ages."""
    return float(np.interp(mean_age(output), means, tails))


def mean_age(output: NDArray[np.float32]) -> float:
    """Return the mean of the distribution of ages, in years."""
    return float(softmax(output) @ np.arange(len(output)))


def age_bounds(output: NDArray[np.float32], tail: float) -> tuple[float, float]:
    """Return the ages below and above which a share ``tail`` of the distribution lies."""
    cumulated = np.concatenate([[0.0], np.cumsum(softmax(output))])
    edges = np.arange(len(cumulated)) - 0.5
    low, high = np.interp([tail, 1 - tail], cumulated, edges)
    return max(0.0, float(low)), max(0.0, float(high))


def read_gender(by_head: float, by_network: float, is_cut: bool = False) -> Gender:
    """Return the likelier gender with its calibrated probability, from log-odds of male.

    ``by_network`` is NaN for a face that the head decides. ``is_cut``: the photo ends within the network's crop, and
    the log-odds of head and network are added.
    """
    head_line, network_line = calibration()["gender_head"], calibration()["gender"]
    if np.isnan(by_network):
        probability = _on_line(head_line, by_head)
    elif is_cut:
        shift = network_line["shift"] + by_head
        probability = _on_line({"slope": network_line["slope"], "shift": shift}, by_network)
    else:
        probability = _on_line(network_line, by_network)
    value = GenderValue.MALE if probability >= 0.5 else GenderValue.FEMALE
    return Gender(value, 100 * max(probability, 1 - probability))


def read_emotions(output: NDArray[np.float32]) -> tuple[Emotion, ...]:
    """Return eight emotions, highest confidence first. Seven confidences are calibrated probabilities.

    CONFUSED has no data. Its confidence says how little the seven agree: their entropy, 0 if one is certain, up to
    ``MAX_CONFUSED`` if all are equally likely. So CONFUSED is never the first.
    """
    numbers = calibration()["emotions"]
    shares = softmax(output)
    emotions = [
        Emotion(kind, 100 * _on_line(numbers[kind.value], log_odds(float(share), EMOTION_CLIP)))
        for kind, share in zip(EMOTIONS, shares, strict=True)
    ]
    entropy = float(-(shares * np.log(np.maximum(shares, EMOTION_CLIP))).sum()) / np.log(len(EMOTIONS))
    strongest = max(emotion.confidence for emotion in emotions)
    emotions.append(Emotion(EmotionType.CONFUSED, min(MAX_CONFUSED * entropy, 0.9 * strongest)))
    return tuple(sorted(emotions, key=lambda emotion: -emotion.confidence))


def read_boolean(name: str, measured: float, hidden: float = 0.0) -> BooleanAttribute:
    """Return yes or no for one measured number, with its calibrated probability. ``hidden`` as in `boolean`."""
    return boolean(probability(name, measured), hidden)


def boolean(probability: float, hidden: float = 0.0) -> BooleanAttribute:
    """Return yes or no for a probability. ``hidden``: share, 0 to 1, to which something hides the measured part."""
    probability = 0.5 + (probability - 0.5) * (1.0 - hidden)
    return BooleanAttribute(probability >= 0.5, 100 * max(probability, 1 - probability))


def probability(name: str, measured: float) -> float:
    """Return the calibrated probability of one measured number."""
    return _on_line(calibration()[name], measured)


def _on_line(line: dict[str, float], measured: float) -> float:
    return share_of_odds(line["slope"] * measured + line["shift"])


def softmax(log_odds: NDArray[np.float32]) -> NDArray[np.float64]:
    powers = np.exp(log_odds.astype(np.float64) - log_odds.max(axis=-1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return shares
