"""The AWS region if the settings name none."""

from __future__ import annotations

import boto3
from botocore.exceptions import BotoCoreError

from catalog.domain.errors import EngineError


def default_region(profile: str = "") -> str:
    """The region of the user's own AWS settings, for a profile or the default one; empty when there is none.

    Raises EngineError for a profile that does not exist.
    """
    try:
        return boto3.Session(profile_name=profile or None).region_name or ""
    except BotoCoreError as error:
        raise EngineError(
            f'The AWS profile "{profile}" cannot be used: {error}.', remedy="Check rekognition.profile."
        ) from error
