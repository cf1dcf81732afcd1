"""The Arm processors that can be emulated, and what Linux tells programs about each.

The interpreter's libraries read /proc/cpuinfo to choose kernels; it has to be that of the processor which
qemu emulates, or they choose instructions that are not there. (qemu 7.2's `max` is left out on purpose: the
int8 results through its SME are wrong.) Parts and features: the processors' technical reference manuals.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT = "cortex-a76"
_ARMV8_0 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
_ARMV8_2 = (
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"
)


@dataclass(frozen=True)
class Cpu:
    """A processor.

    Attributes:
        name: as `qemu-aarch64 -cpu` knows it.
        part, variant, revision: of its main ID register; the implementer is Arm, 0x41.
        features: as Linux names them, separated by spaces.
    """

    name: str
    part: int
    variant: int
    revision: int
    features: str

    @property
    def cpuinfo(self) -> str:
        """/proc/cpuinfo of a machine with one of it."""
        return (
            "processor\t: 0\n"
            "BogoMIPS\t: 50.00\n"
            f"Features\t: {self.features}\n"
            "CPU implementer\t: 0x41\n"
            "CPU architecture: 8\n"
            f"CPU variant\t: {self.variant:#x}\n"
            f"CPU part\t: {self.part:#x}\n"
            f"CPU revision\t: {self.revision}\n\n"
        )


CPUS = {
    cpu.name: cpu
    for cpu in (
        Cpu("cortex-a53", 0xD03, 0, 4, _ARMV8_0),
        Cpu("cortex-a72", 0xD08, 0, 3, _ARMV8_0),
        Cpu("cortex-a76", 0xD0B, 4, 1, _ARMV8_2),
        Cpu("neoverse-n1", 0xD0C, 4, 1, f"{_ARMV8_2} ssbs"),
    )
}
