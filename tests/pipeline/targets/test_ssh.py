"""Another machine by ssh, which is this one: a server on a loopback port, with keys made for the test."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from models.errors import VerificationError
from pipeline.parity.verdict import verdict
from pipeline.targets import Options, target_named
from pipeline.targets.job import TargetFile
from pipeline.targets.verification import on_targets

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/sbin")


@pytest.fixture
def server(tmp_path: Path, on_path: Callable[[str, str], Path]) -> Iterator[str]:
    """user@127.0.0.1:port of a server that lets this user in; ssh and scp know its key, and ours."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("there is no sshd here: the target ssh is not tested against a server")
    keys = {name: tmp_path / name for name in ("host", "user")}
    for path in keys.values():
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where root's sshd wants to lock itself in
    shutil.copy(f"{keys['user']}.pub", tmp_path / "authorized")
    config = tmp_path / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {keys['host']}\nPidFile none\nStrictModes no\n"
        f"AuthorizedKeysFile {tmp_path / 'authorized'}\nPasswordAuthentication no\nUsePAM no\n"
        "PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
    )
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{port} {Path(str(keys['host']) + '.pub').read_text()}")
    client = tmp_path / "client"
    client.write_text(
        f"IdentityFile {keys['user']}\nIdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile {known}\n"
    )
    for program in ("ssh", "scp"):
        on_path(program, f'#!/bin/sh\nexec {shutil.which(program)} -F {client} "$@"\n')
    log = tmp_path / "log"
    with subprocess.Popen([SSHD, "-D", "-f", config, "-E", log]) as process:
        try:
            _wait_for(port, process, log)
            yield f"{getpass.getuser()}@127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        time.sleep(0.05)
    raise AssertionError("sshd does not answer")


def folders() -> set[str]:
    return {path.name for path in Path("/tmp").glob("fuselage.*")}


def test_files_run_there_and_nothing_is_left(
    server: str, integer_file: TargetFile, told_file: TargetFile, heard: Any
) -> None:
    before = folders()
    target = target_named(f"ssh:{server}", Options(python=sys.executable))
    found = on_targets([target], {"A": integer_file, "B": told_file}, "classification", heard)
    assert verdict(found.checks) == "pass"
    assert found.provenance[f"ssh:{server}"]["uname"] == os.uname().machine
    assert folders() == before


def test_a_python_without_the_interpreter_is_told_with_what_to_install(server: str, heard: Any) -> None:
    with pytest.raises(VerificationError, match=r"/bin/false on ssh:.* cannot import numpy") as caught:
        target_named(f"ssh:{server}", Options(python="/bin/false")).prepare(heard)
    assert "-m pip install ai-edge-litert==" in caught.value.tip


def test_a_run_that_fails_leaves_nothing(server: str, tmp_path: Path, heard: Any) -> None:
    before = folders()
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "job.json").write_text("{}")
    target = target_named(f"ssh:{server}", Options(python=sys.executable))
    with pytest.raises(VerificationError, match="could not be run on ssh:"):
        target.run(tmp_path / "job", heard)
    assert folders() == before


def test_who_is_not_let_in_is_told_and_never_asked(server: str, tmp_path: Path, heard: Any) -> None:
    (tmp_path / "authorized").write_text("")
    with pytest.raises(VerificationError, match="cannot be reached: exit code 255") as caught:
        target_named(f"ssh:{server}", Options()).prepare(heard)
    assert "Permission denied" in caught.value.message
    assert "Connect once by hand" in caught.value.tip


def test_nobody_at_the_other_end_is_told(server: str, heard: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"ssh:me@127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(VerificationError, match="Connection refused"):
            target_named(nobody, Options()).prepare(heard)


def test_without_a_client_the_error_says_what_to_install(
    tmp_path: Path, heard: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VerificationError, match="'ssh', which is not installed"):
        target_named("ssh:pi@board", Options()).prepare(heard)
