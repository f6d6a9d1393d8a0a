"""Certificates: files that only their owner reads, accepted from one authority only."""

from __future__ import annotations

import stat

import pytest

from catalog.distributed.certificates import make_certificates
from catalog.distributed.cluster import DaskCluster
from catalog.distributed.dask_setup import security_of
from catalog.domain.errors import EngineError, UsageError


def test_keys_are_readable_by_their_owner_alone(tmp_path):
    """An authority and three roles, each with certificate and key."""
    folder = tmp_path / "new" / "tls"
    make_certificates(folder, hosts=["head.example", "10.0.0.1"])
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}
    roles = ("ca", "scheduler", "worker", "client")
    assert files == {name: 0o600 for role in roles for name in (f"{role}.pem", f"{role}-key.pem")}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_certificates_are_never_overwritten(tmp_path):
    make_certificates(tmp_path)
    before = (tmp_path / "ca-key.pem").read_bytes()
    with pytest.raises(UsageError, match="holds certificates already"):
        make_certificates(tmp_path)
    assert (tmp_path / "ca-key.pem").read_bytes() == before


def test_a_missing_certificate_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"ca\.pem"):
        security_of(str(tmp_path), "client")


def test_a_client_of_another_authority_is_refused(start_cluster, tmp_path):
    """The connection fails in both directions: neither side knows the other one's authority."""
    own, foreign = tmp_path / "own", tmp_path / "foreign"
    make_certificates(own)
    make_certificates(foreign)
    processes = start_cluster(0, tls=str(own))
    assert processes.address.startswith("tls://127.0.0.1:")
    with pytest.raises(EngineError, match="cannot be reached"):
        DaskCluster(processes.address, security_of(str(foreign), "client"), wait_seconds=3)
    with pytest.raises(EngineError, match="has had no worker"):
        DaskCluster(processes.address, security_of(str(own), "client"), wait_seconds=1)
