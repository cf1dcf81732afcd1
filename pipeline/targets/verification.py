"""Files on targets beside the same files here: checks, and what a report says about where they ran."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.parity.verdict import Check
from pipeline.progress import Progress
from pipeline.targets.arithmetic import Arithmetic, arithmetic
from pipeline.targets.comparison import compare
from pipeline.targets.host import Host
from pipeline.targets.job import KERNELS, Answers, TargetFile, read_answers, write_job
from pipeline.targets.sensitivity import sensitivity
from pipeline.targets.target import Target

Ran = tuple[dict[tuple[str, str], Answers], dict[str, Any]]
WHY_DEFAULT = (
    "With these kernels the int8 SOFTMAX of aarch64 may round a weight to the next step; with the reference "
    "kernels every number has to be the same."
)


@dataclass
class Elsewhere:
    """What a report gets from targets.

    Attributes:
        checks: of each target, file and kind of kernels; `reference` is "TARGET/FILE/KERNELS".
        references: what each of these means.
        notes: sentences a reader has to know.
        provenance: by target, what ran there and how long it took.
    """

    checks: list[Check] = field(default_factory=list)
    references: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)


def on_targets(
    targets: Sequence[Target], files: Mapping[str, TargetFile], task: str, progress: Progress
) -> Elsewhere:
    """Run files on targets and here, with the same code and the same windows.

    The target `host` is where everything runs anyway: it adds nothing.

    Args:
        files: by a role, a short word; all are run on all of their windows.
        task: what they answer.

    Raises:
        VerificationError: a target cannot be set up or reached, or fails.
    """
    found = Elsewhere()
    targets = [one for one in targets if not isinstance(one, Host)]
    if not targets:
        return found
    prepared = [one.prepare(progress) for one in targets]  # first of all: what is missing is said early
    here = _run(Host(), files, task, progress)
    kinds = {role: arithmetic(one.file.content) for role, one in files.items()}
    for target, known in zip(targets, prepared, strict=True):
        there = _run(target, files, task, progress)
        found.provenance[target.name] = {**known, **there[1]}
        found.notes.append(_what_ran(target.name, known, there[1], files))
        found.notes += _other_versions(target.name, here[1], there[1])
        for role, one in files.items():
            _compare(found, target.name, one, kinds[role], task,
                     {kernels: (here[0][role, kernels], there[0][role, kernels]) for kernels in KERNELS},
                     str(there[1]["machine"]))  # fmt: skip
    return found


def _compare(
    found: Elsewhere, target: str, one: TargetFile, kind: Arithmetic, task: str,
    ran: Mapping[str, tuple[Answers, Answers]], machine: str,
) -> None:  # fmt: skip
    """Add the checks of one file on one target, and what has to be known about them."""
    name = one.file.path.name
    ours = one.file.metadata is not None
    answers = one.file.outputs[one.file.logits].index
    behind = sensitivity(one.file.content, answers) if ours and kind == "integer" else None
    for kernels, (here, there) in ran.items():
        reference = f"{target}/{name}/{kernels}"
        checks = compare(here, there, reference, kernels, kind, task, one.file.steps, ours, behind)
        found.checks += checks
        found.references[reference] = (
            f"{target} ({machine}), {kernels} kernels: {name} there against the same file here"
        )
        differing = next(check.value for check in checks if check.name == "outputs_different")
        if kind == "integer" and kernels == "default":
            total = sum(values.size for values in here.raw.values())
            note = f"{name} on {target}, default kernels: {differing:.0f} of {total} numbers differ."
            found.notes.append(f"{note} {WHY_DEFAULT}" if differing else note)


def _run(target: Target, files: Mapping[str, TargetFile], task: str, progress: Progress) -> Ran:
    """The answers of one target, and what it says about itself."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        total = write_job(folder, files)
        progress.start(f"Running the files on {target.name}", total)
        started = time.monotonic()
        target.run(folder, progress)
        took_s = time.monotonic() - started
        progress.finish()
        answers, about = read_answers(folder, files, task)
    del about["output_scales"]
    return answers, {**about, "seconds": round(took_s, 1)}


def _what_ran(
    target: str, known: Mapping[str, str], about: Mapping[str, Any], files: Mapping[str, TargetFile]
) -> str:
    """Which files ran there, on how many windows, by what."""
    where = ", ".join(known[key] for key in ("cpu", "emulation", "model") if key in known)
    windows = max(len(one.features) for one in files.values())
    return (
        f"{target}: {len(files)} files on {windows} windows each, by {about['interpreter']}, numpy "
        f"{about['numpy']}, Python {about['python']} on {about['machine']}{f' ({where})' if where else ''}."
    )


def _other_versions(target: str, here: Mapping[str, Any], there: Mapping[str, Any]) -> list[str]:
    """A note where the interpreter there is another one: differences may be its."""
    if here["interpreter"] == there["interpreter"]:
        return []
    return [f"{target} runs {there['interpreter']}, this machine {here['interpreter']}: other kernels."]
