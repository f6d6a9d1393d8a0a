"""docs/licenses.md: the license of each package that an installation gets, and of the libraries inside their wheels."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements.lock"

LIBRARIES = [
    ("cryptography", "OpenSSL", "Apache-2.0"),
    ("imagecodecs", "libjxl", "BSD-3-Clause"),
    (
        "imagecodecs",
        "codecs of 40 further formats; their texts are in `imagecodecs/licenses`",
        "BSD, MIT, Apache-2.0, zlib",
    ),
    ("imagecodecs, rawpy", "libgomp (GCC)", "GPL-3.0 with the runtime exception"),
    ("lxml", "libxml2, libxslt", "MIT"),
    ("numpy", "OpenBLAS", "BSD-3-Clause"),
    ("numpy", "libgfortran, libquadmath (GCC)", "GPL-3.0 with the runtime exception, LGPL-2.1"),
    ("onnxruntime", "protobuf, Eigen, abseil and others", "MIT, BSD-3-Clause, MPL-2.0, Apache-2.0"),
    ("pi-heif", "**libheif, libde265**", "**LGPL-3.0**"),
    ("pillow", "libjpeg-turbo, libtiff, OpenJPEG, libwebp, libavif, FreeType, HarfBuzz, lcms2", "permissive"),
    ("psycopg-binary", "libpq, OpenSSL, Kerberos, OpenLDAP", "PostgreSQL, Apache-2.0, MIT, OLDAP-2.8"),
    ("rawpy", "**LibRaw**", "**LGPL-2.1 or CDDL-1.0**"),
    ("rawpy", "JasPer, libjpeg-turbo, lcms2", "JasPer-2.0, IJG, MIT"),
]
"""Libraries that wheels carry in compiled form: package, library, license."""

NAMES = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "Python Software Foundation License": "PSF-2.0",
    "ISC License (ISCL)": "ISC",
    "3-Clause BSD License": "BSD-3-Clause",
}


def licenses_page() -> str:
    """Packages of requirements.lock by name; those of other platforms are left out."""
    lines = [
        "# Licenses",
        "",
        "`catalog` is licensed under Apache-2.0. An installation also gets the packages below. Their metadata names",
        "the licenses. The networks of the local engine have",
        "[their own licenses](../catalog/engines/local/weights/MODELS.md).",
        "",
        "| package | license |",
        "|---|---|",
    ]
    lines += [f"| {name} | {license_of(package)} |" for name, package in _packages()]
    lines += [
        "",
        "## Libraries inside the wheels",
        "",
        "Some wheels carry compiled libraries. Those in bold are under the LGPL. They are separate files, which you",
        "may replace. To give a copy of them away, offer their source, too.",
        "",
        "| package | libraries | license |",
        "|---|---|---|",
    ]
    lines += [f"| {package} | {library} | {license_name} |" for package, library, license_name in LIBRARIES]
    return "\n".join(lines) + "\n"


def license_of(package: Distribution) -> str:
    """The SPDX expression of a package, else its classifiers, else the first line of its license field."""
    expression = package.metadata.get("License-Expression")
    if expression:
        return str(expression)
    classifiers = package.metadata.get_all("Classifier") or []
    names = [entry.rsplit(" :: ", 1)[1] for entry in classifiers if entry.startswith("License :: OSI Approved :: ")]
    if names:
        return ", ".join(NAMES.get(name, name) for name in names)
    field = str(package.metadata.get("License") or "see the package").splitlines()[0]
    return NAMES.get(field, field)


def _packages() -> list[tuple[str, Distribution]]:
    pattern = r"^([a-z0-9][a-z0-9._-]*)(?:\[[a-z,-]+\])?==(?!.*sys_platform == 'win32')"
    packages = []
    for name in sorted(set(re.findall(pattern, LOCK.read_text(encoding="utf-8"), re.MULTILINE))):
        try:
            packages.append((name, distribution(name)))
        except PackageNotFoundError:
            continue
    return packages
