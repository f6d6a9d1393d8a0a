"""Scripts that build what the package ships: weights, frozen schema, docs and pictures. Never imported by catalog."""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # as in catalog/engines/local
