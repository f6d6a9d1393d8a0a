"""Options and messages of clusters on the command line."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest


def test_without_the_extra_a_sentence_names_it(catalog, portraits, monkeypatch):
    """Exit code 2, and nothing is scanned."""
    monkeypatch.setattr("catalog.distributed.connecting.find_spec", lambda _name: None)
    for command in (("scan", portraits, "--cluster", "local:2"), ("cluster", "run"), ("cluster", "certificates", "x")):
        answer = catalog(*command)
        assert answer.code == 2
        assert "face-catalog[cluster]" in answer.err


def test_worker_and_cluster_exclude_one_another(catalog, portraits):
    answer = catalog("scan", portraits, "--cluster", "local:2", "--worker")
    assert answer.code == 2
    assert "exclude one another" in answer.err


def test_worker_is_deprecated(catalog, portraits, postgresql_url):
    """It still works, is not in the help, and points to --cluster."""
    answer = catalog("scan", portraits, "--worker", "--limit", 1, "--database", postgresql_url)
    assert answer.code == 0
    assert "--worker will be removed" in answer.err
    assert "--cluster" in answer.err
    assert "--worker " not in catalog("scan", "--help").out


def test_a_scan_without_certificates_is_refused(catalog, portraits):
    """One sentence, and nothing of Dask on stderr."""
    answer = catalog("scan", portraits, "--cluster", "tls://127.0.0.1:1")
    assert answer.code == 2
    assert answer.err.splitlines() == [
        "catalog: A cluster at a tls:// address needs certificates.",
        "  Name the folder of `catalog cluster certificates DIR` in the setting cluster.tls.",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--host", "0.0.0.0"), "Without encryption"),
        (("--join", "tcp://10.0.0.1:8786"), "without encryption"),
        (("--join", "local:2"), "not the address of a scheduler"),
        (("--join", "tls://10.0.0.1:8786"), "need certificates"),
    ],
)
def test_run_refuses_what_is_not_encrypted(catalog, arguments, sentence):
    answer = catalog("cluster", "run", *arguments)
    assert answer.code == 2
    assert sentence in answer.err


def test_a_scan_on_a_cluster_that_runs_with_certificates(catalog, portraits, tmp_path, monkeypatch):
    """The three commands of the manual, as a user types them."""
    folder = tmp_path / "tls"
    assert catalog("cluster", "certificates", folder).code == 0
    running = subprocess.Popen(
        [sys.executable, "-m", "catalog.cli.main", "cluster", "run", "--workers", "1", "--port", "0", "--tls", folder],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = running.stdout.readline().strip()
        assert address.startswith("tls://127.0.0.1:")
        monkeypatch.setenv("CATALOG_CLUSTER_TLS", str(folder))
        answer = catalog("scan", portraits, "--cluster", address)
        assert answer.code == 0
        assert "faces found               5" in answer.out
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 130
    finally:
        running.kill()
        running.communicate()
