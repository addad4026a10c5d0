"""`rainlens audit`: what a person types to get a report card."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor
from tqdm import tqdm
from typer.core import TyperGroup

from rainlens import models, resources
from rainlens.audit import answers, commands, networks, programs, report
from rainlens.audit import inputs as made
from rainlens.audit.card import read_requirement
from rainlens.audit.inputs import CROP, LIMIT, TASKS, AuditError, Inputs
from rainlens.audit.kept import Kept
from rainlens.audit.networks import Network, Wiring

SECONDS = 600.0  # for a command
Range = StrEnum("Range", {name: name for name in networks.RANGES})  # type: ignore[misc]
Order = StrEnum("Order", {name: name for name in networks.ORDERS})  # type: ignore[misc]
Task = StrEnum("Task", {name: name for name in TASKS})  # type: ignore[misc]
USUAL_RANGE, USUAL_ORDER, USUAL_TASK = Range("0-1"), Order("rgb"), Task("derain")


class _CardUnlessNamed(TyperGroup):
    """`rainlens audit DIR` means `rainlens audit card DIR`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(
            ctx, args if args and args[0] in self.commands else ["card", *args]
        )


app = typer.Typer(cls=_CardUnlessNamed, help="A report card for a deraining network.")

Pictures = Annotated[
    Path | None,
    typer.Option(help="A folder of your own clean pictures; default: those of the package."),
]
Limit = Annotated[int, typer.Option(min=2, help="At most so many pictures.")]
Crop = Annotated[int, typer.Option(min=64, help="Side of the middle of each that is used.")]
Seed = Annotated[int, typer.Option(help="Of the rain.")]
Real = Annotated[
    Path | None, typer.Option(help="Photographs of real rain: how they change, without a score.")
]
TaskOption = Annotated[Task, typer.Option("--task", help="What the network takes off pictures.")]


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="A new folder for the pictures.")],
    pictures: Pictures = None,
    limit: Limit = LIMIT,
    crop: Crop = CROP,
    seed: Seed = 0,
    real: Real = None,
    task: TaskOption = USUAL_TASK,
) -> None:
    """Write the pictures that a network is audited on; run it on them with any program."""
    count = made.export(made.make(pictures, limit, crop, seed, real, task.value), folder)
    typer.echo(
        f"{count} pictures in {folder}. Run your network on each, write its outputs to another "
        f"folder under the same names, then: rainlens audit {folder} --outputs THAT_FOLDER"
    )


@app.command()
def card(
    folder: Annotated[
        Path | None, typer.Argument(help="What `rainlens audit export` wrote; else made now.")
    ] = None,
    outputs: Annotated[
        Path | None, typer.Option(help="A folder of outputs, named like their inputs.")
    ] = None,
    command: Annotated[
        str | None,
        typer.Option(help='Run this: "python test.py --input {input} --output {output}".'),
    ] = None,
    arch: Annotated[
        str | None, typer.Option(help=f"A network of this package: {', '.join(models.MODELS)}.")
    ] = None,
    weights: Annotated[Path | None, typer.Option(help="With --arch: its state dict.")] = None,
    call: Annotated[
        str | None, typer.Option(metavar="MODULE:NAME", help="A Python function or class; is run.")
    ] = None,
    onnx: Annotated[Path | None, typer.Option(help="An ONNX file (needs onnxruntime).")] = None,
    program: Annotated[
        Path | None, typer.Option(help="A TorchScript or .pt2 file; only with --trust.")
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Open --program although that can run anything.")
    ] = False,
    range_: Annotated[Range, typer.Option("--range", help="Of the values.")] = USUAL_RANGE,
    order: Annotated[Order, typer.Option(help="Of the channels.")] = USUAL_ORDER,
    multiple: Annotated[int, typer.Option(min=1, help="Mirror sides up to a multiple.")] = 1,
    output: Annotated[int, typer.Option(help="Which part of a tuple or list is the picture.")] = 0,
    residual: Annotated[bool, typer.Option(help="The network returns the rain.")] = False,
    tile: Annotated[int, typer.Option(help="So many pixels a side at a time; 0: all.")] = 0,
    keep: Annotated[
        Path | None, typer.Option(help="Keep outputs here; an audit that was stopped goes on.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Limit for --command.")] = SECONDS,
    require: Annotated[
        list[str] | None, typer.Option(help='Exit with 1 unless so: "rain100l: removes".')
    ] = None,
    out: Annotated[
        Path, typer.Option(help="The card, a JSON file; an HTML page beside it.")
    ] = Path("card.json"),
    pictures: Pictures = None,
    limit: Limit = LIMIT,
    crop: Crop = CROP,
    seed: Seed = 0,
    real: Real = None,
    task: TaskOption = USUAL_TASK,
) -> None:
    """Say whether a deraining network works on rain that it has not seen.

    Give the network in one way: --outputs (safest, any framework: see `rainlens audit export
    --help`), --command, --arch with --weights, --call, --onnx, or --program. The card says for
    each kind of rain whether the network removes it, partly removes it, leaves it, or destroys the
    picture.
    """
    given = {
        **{"--outputs": outputs, "--command": command, "--arch": arch, "--call": call},
        **{"--onnx": onnx, "--program": program},
    }
    try:
        wiring = Wiring(range_.value, order.value, multiple, output, residual, tile)
    except ValueError as error:
        raise AuditError(f"--{error}") from error
    chosen = [name for name, value in given.items() if value is not None]
    if len(chosen) != 1:
        raise AuditError(f"Give the network in exactly one way of: {', '.join(given)}.")
    if outputs is not None and folder is None:
        raise AuditError(
            "Outputs need their inputs: rainlens audit DIR --outputs DIR2, where `rainlens audit "
            "export DIR` wrote the inputs."
        )
    if weights is not None and arch is None:
        raise AuditError("--weights are those of a network of this package: give --arch, too.")
    if keep is not None and not (arch or onnx or program):
        raise AuditError(
            "--keep knows networks by their files, so it goes with --arch, --onnx and --program; "
            "the outputs of others can be kept by `rainlens audit export`."
        )
    if wiring != Wiring() and (outputs is not None or command is not None):
        raise AuditError(
            "--range, --order, --multiple, --output, --residual and --tile say how a network is "
            f"called, but {chosen[0]} gives files: write the pictures without rain to them, 8-bit "
            "RGB, and leave these options out."
        )
    if folder is not None and outputs is not None and folder.resolve() == outputs.resolve():
        raise AuditError("--outputs is the folder of the inputs; give that of the outputs.")
    if out.suffix == ".html" or not out.absolute().parent.is_dir():
        raise AuditError(f"--out is {out}; give a .json file in a folder that exists.")
    inputs = (
        made.read(folder) if folder else made.make(pictures, limit, crop, seed, real, task.value)
    )
    for requirement in require or ():  # before anything is computed
        read_requirement(requirement, [kind.name for kind in inputs.kinds])
    wanted = inputs.pictures()
    name = f"{given[chosen[0]]} {weights.name if weights else ''}".strip()
    if outputs is not None:
        found, remarks = answers.read(outputs, wanted), answers.warnings(outputs, wanted)
        made_report = report.of_outputs(found, name, inputs, remarks)
    elif command is not None:
        found, remarks = _of_command(command, inputs, wanted, seconds, out)
        made_report = report.of_outputs(found, name, inputs, remarks)
    else:
        network = _network(arch, weights, call, onnx, program, trust)
        file = next((f for f in (weights, onnx, program) if f is not None), None)
        kept = Kept(keep, networks.identity(arch, file, wiring)) if keep else None
        torch.set_num_threads(resources.cores())
        with tqdm(total=len(wanted), unit="pictures") as bar:
            made_report = report.of_network(network, name, inputs, wiring, kept, bar.update)
    made_card = made_report.card
    unmet = made_card.unmet(require or ())
    html = made_report.save(out)
    for line in (
        *made_card.remarks,
        made_card.table(),
        "",
        made_card.sentence,
        *([made_card.likeness] if made_card.nearest else []),
        f"The card: {html}, {out}",
        *unmet,
    ):
        typer.echo(line)
    if unmet:
        raise typer.Exit(1)


def _of_command(
    command: str, inputs: Inputs, wanted: Mapping[str, Tensor], seconds: float, out: Path
) -> tuple[dict[str, Tensor], list[str]]:
    with tempfile.TemporaryDirectory() as place:
        given, back = Path(place) / "inputs", Path(place) / "outputs"
        made.export(inputs, given)
        commands.run(command, given, back, seconds, out.with_suffix(".log"))
        return answers.read(back, wanted), answers.warnings(back, wanted)


def _network(
    arch: str | None,
    weights: Path | None,
    call: str | None,
    onnx: Path | None,
    program: Path | None,
    trust: bool,
) -> Network:
    if call is not None:
        return networks.of_callable(call)
    if onnx is not None:
        return programs.of_onnx(onnx)
    if program is not None:
        return programs.of_program(program, trust)
    assert arch is not None
    if arch not in models.MODELS:
        raise AuditError(f"There is no --arch {arch}; there are: {', '.join(models.MODELS)}.")
    if weights is not None:
        return networks.of_architecture(arch, weights)
    if models.needs_weights(arch):
        raise AuditError(f"--arch {arch} needs its --weights.")
    return models.build(arch).eval()
