"""Another machine by ssh: a Raspberry Pi, a board, a server with Arm processors."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import InputError
from pipeline.progress import Progress
from pipeline.targets.remote import Remote
from pipeline.targets.target import Options, target
from pipeline.targets.tools import need

# A user, a host or [IPv6 address], a port. None may begin with "-", which ssh would take for an option.
_ADDRESS = re.compile(
    r"(?:(?P<user>[A-Za-z0-9_][\w.\-]*)@)?(?P<host>[A-Za-z0-9_][\w.\-]*|\[[0-9A-Fa-f:.%\w]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_TIP = (
    "Connect once by hand, which asks about the host's key: {}. A key without a password, or an agent, has "
    "to let you in: this command asks for none."
)


@dataclass(frozen=True)
class Ssh(Remote):
    """A machine that the system's OpenSSH client reaches, with Python, numpy and ai-edge-litert.

    Args:
        host: as ssh takes it, "user@host"; an IPv6 address in brackets.
        port: None: as ssh is configured.
        interpreter: the Python there.
    """

    name: str
    host: str
    port: str | None
    interpreter: str
    parent: str = "/tmp"

    def shell(self, script: str) -> list[str]:
        port = ["-p", self.port] if self.port else []
        return ["ssh", *_OPTIONS, *port, "--", self.host.replace("[", "").replace("]", ""), script]

    def push(self, sources: Sequence[Path], into: str) -> list[str]:
        return [*self._scp(), "--", *map(str, sources), f"{self.host}:{into}/"]

    def pull(self, source: str, into: Path) -> list[str]:
        return [*self._scp(), "-r", "--", f"{self.host}:{source}", str(into)]

    def python(self) -> str:
        return shlex.quote(self.interpreter)

    def prepare(self, progress: Progress) -> Mapping[str, str]:
        """Connect, and look for Python with numpy and the interpreter."""
        for program in ("ssh", "scp"):
            need(program, f"The target {self.name}", "Install OpenSSH's client, on Debian: apt-get install "
                 "openssh-client")  # fmt: skip
        by_hand = f"ssh {'-p ' + self.port + ' ' if self.port else ''}{self.host}"
        machine = self.ask("uname -m", f"{self.name} cannot be reached", _TIP.format(by_hand))
        self.look_for_python(self.python())
        return {"uname": machine}

    def _scp(self) -> list[str]:
        return ["scp", "-q", *_OPTIONS, *(["-P", self.port] if self.port else [])]


_OPTIONS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=15")  # never asks; gives up


@target("ssh", "ssh:USER@HOST[:PORT]", ("python",))
def _ssh(rest: str, options: Options) -> Ssh:
    found = _ADDRESS.fullmatch(rest)
    port = found and found["port"]
    if not found or (port and not 1 <= int(port) <= 65535):
        raise InputError(f"'ssh:{rest}' is no address; allowed is ssh:USER@HOST or ssh:USER@HOST:PORT.")
    host = f"{found['user']}@{found['host']}" if found["user"] else found["host"]
    return Ssh(f"ssh:{rest}", host, port or None, options.python or "python3")
