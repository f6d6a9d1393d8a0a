#!/bin/sh
# Writes the lock files anew from pyproject.toml (needs uv). They hold versions and digests, and name no index.
set -eu
cd "$(dirname "$0")/.."
lock() { uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
           --no-emit-index-url --quiet "$@"; }
lock --output-file requirements.lock --group lock
lock --output-file requirements-dev.lock --group lock --group dev --all-extras
lock --output-file requirements-release.lock --group lock --group dev --group release --all-extras \
  --constraint requirements-dev.lock
lock --output-file deploy/requirements.lock --group lock --all-extras
