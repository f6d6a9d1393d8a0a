"""The files of deploy/ are accepted by the programs that read them, and allow no more than the program needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.write_docs import commands as command_tree

ROOT = Path(__file__).parent.parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's short functions, such as ``!Ref``, as their argument."""


def _function(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node)


_TemplateLoader.add_multi_constructor("!", _function)


def template() -> dict[str, Any]:
    return yaml.load((DEPLOY / "aws" / "catalog.yaml").read_text(), _TemplateLoader)


def program(name: str) -> Path:
    return Path(sys.executable).with_name(name)


def test_cfn_lint_accepts_the_cloudformation_template():
    """No error and no warning."""
    done = subprocess.run(
        [program("cfn-lint"), DEPLOY / "aws" / "catalog.yaml", "--regions", "eu-west-1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_role_of_the_task_allows_what_the_policy_file_allows():
    """Except for user vectors and KMS, which the template does not use."""
    shipped = json.loads((ROOT / "config" / "iam-policy.json").read_text())["Statement"]
    optional = {"RekognitionUserVectorsOnlyIfSwitchedOn", "S3SourceDecryptOnlyIfEncryptedWithKMS"}
    wanted = {action for entry in shipped if entry["Sid"] not in optional for action in entry["Action"]}
    (policy,) = template()["Resources"]["TaskRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    actions = [[entry["Action"]] if isinstance(entry["Action"], str) else entry["Action"] for entry in statements]
    assert {action for group in actions for action in group} == wanted


def test_the_database_is_encrypted_private_and_kept():
    """A deleted stack leaves a snapshot, and a deleted database needs a second decision."""
    database = template()["Resources"]["Database"]
    assert database["DeletionPolicy"] == "Snapshot"
    assert database["Properties"]["StorageEncrypted"] is True
    assert database["Properties"]["PubliclyAccessible"] is False
    assert database["Properties"]["DeletionProtection"] is True


@pytest.mark.parametrize("path", KUBERNETES, ids=[path.name for path in KUBERNETES])
def test_the_kubernetes_objects_fit_the_schema(path):
    """kubernetes-validate holds each object to the API's schema, unknown members refused."""
    done = subprocess.run(
        [program("kubernetes-validate"), "--strict", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def pods() -> list[tuple[str, dict[str, Any]]]:
    """The pod specs of deploy/kubernetes, by the name of their object."""
    specs = []
    for path in KUBERNETES:
        for entry in yaml.safe_load_all(path.read_text()):
            spec = entry.get("spec", {})
            spec = spec.get("jobTemplate", {}).get("spec", spec)
            if "template" in spec:
                specs.append((entry["metadata"]["name"], spec["template"]["spec"]))
    return specs


@pytest.mark.parametrize("pod", [spec for _, spec in pods()], ids=[name for name, _ in pods()])
def test_a_pod_has_least_rights(pod):
    """Not root, no writable root file system, no capability, no token of the cluster; photos are read-only."""
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in [*pod.get("initContainers", []), *pod["containers"]]:
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        photos = [mount for mount in container["volumeMounts"] if mount["name"] == "photos"]
        assert all(mount["readOnly"] for mount in photos)


def test_each_compose_service_of_the_program_has_least_rights():
    """Not root, no writable root file system, no capability; photos are read-only; no port outside the machine."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    for name, service in compose["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        if name == "database":
            continue
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert not service["user"].startswith(("0", "root")), name
        assert all(volume.endswith(":ro") for volume in service["volumes"] if ":/photos" in volume), name


def commands() -> list[list[str]]:
    """The commands of catalog that compose, Kubernetes and systemd run, as words."""
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    lines = [service["command"] for service in compose["services"].values() if len(service.get("command", ())) > 1]
    lines = [line[1:] if re.fullmatch(r"\d\d:\d\d", line[0]) else line for line in lines]
    lines += [
        container["args"] for _, pod in pods() for container in [*pod.get("initContainers", []), *pod["containers"]]
    ]
    for unit in (DEPLOY / "systemd").glob("*.service"):
        (start,) = re.findall(r"^ExecStart=\S+/catalog (.*)$", unit.read_text(), re.MULTILINE)
        lines.append(start.split())
    return lines


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_that_a_file_runs_exists_with_its_options(words):
    """Each option is one of the command."""
    options = {
        " ".join(path[1:]): {option for parameter in command.params for option in parameter.opts}
        for path, command in command_tree()
    }
    names = [name for name in options if f"{' '.join(words)} ".startswith(f"{name} ")]
    assert names, "no such command"
    assert {word for word in words if word.startswith("--")} <= options[max(names, key=len)]


@pytest.fixture
def short_path():
    """A folder with a short path: units of the system have sockets in it, whose paths have 107 bytes at most."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_the_units(short_path):
    """`systemd-analyze verify` finds nothing to say about the units of a user who installed the command."""
    installed = short_path / ".local" / "bin" / "catalog"
    installed.parent.mkdir(parents=True)
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o755)
    runtime = short_path / "run"
    runtime.mkdir(mode=0o700)
    units = sorted((DEPLOY / "systemd").iterdir())
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", *units],
        env={**os.environ, "HOME": str(short_path), "XDG_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_units_of_the_guide_are_those_of_the_folder():
    """docs/nightly.md names the units; it does not copy them."""
    guide = (ROOT / "docs" / "nightly.md").read_text()
    assert {f"deploy/systemd/{path.name}" for path in (DEPLOY / "systemd").iterdir()} <= set(
        re.findall(r"deploy/systemd/[a-z.-]+", guide)
    )


WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_a_workflow_runs_targets_of_the_makefile(path):
    """Each `make` of a workflow is a target; jobs have a time limit or no code of ours, and few rights by default."""
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    makefile = (ROOT / "Makefile").read_text()
    runs = [step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"]]
    targets = {target for line in runs for target in re.findall(r"^make (\S+)", line, re.MULTILINE)}
    assert targets
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
