#!/bin/sh
# Installs catalog into a virtual environment that any user can run: the steps of deploy/Containerfile.
#   sh deploy/install.sh SOURCE TARGET [PYTHON]
# SOURCE is a source tree of face-catalog, TARGET a new folder. PyPI is the only network that it needs. Every package
# is checked against the SHA-256 in deploy/requirements.lock.
set -eu

source=$1
target=$2
python=${3:-python3}

umask 022
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore

"$python" -m venv "$target"
"$target/bin/pip" install --quiet --require-hashes --requirement "$source/deploy/requirements.lock"
"$target/bin/pip" install --quiet --no-deps --no-build-isolation "$source"
# The image is read-only at run time, so the bytecode is compiled now. Some packages ship files for other Pythons,
# which do not compile; that is not an error.
"$target/bin/python" -m compileall -q "$target/lib" >/dev/null 2>&1 || true
# pip is not needed at run time. A smaller image has fewer files to update.
"$target/bin/pip" uninstall --quiet --yes pip
"$target/bin/catalog" --version
