"""What a person types: `rainlens run`, `book`, `claims`, `audit`, `judge`, ...."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import torch
import typer
from tqdm import tqdm

from rainlens import claims, data, os_errors, planning, records, running, scales, training
from rainlens.audit import AuditError
from rainlens.audit.app import app as audit_app
from rainlens.cluster import Cluster, ClusterError
from rainlens.images import PictureError
from rainlens.judging import asking, pairs, replies, summary
from rainlens.models import checkpoint_files
from rainlens.records import RecordError
from rainlens.site import build, front_page, pdf, sources

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Why restoration networks fail on degradations that they have not seen: "
    "an executable paper. Start with: rainlens book",
)
data_app = typer.Typer(no_args_is_help=True, help="The pictures and rain that experiments use.")
app.add_typer(data_app, name="data")
records_app = typer.Typer(no_args_is_help=True, help="Carry records from one machine to another.")
app.add_typer(records_app, name="records")
app.add_typer(audit_app, name="audit")

# The scales themselves say which there are, and mypy wants to read it here.
ScaleName = StrEnum("ScaleName", {name: name for name in scales.SCALES})  # type: ignore[misc]
KNOWN = (
    *(data.DataError, PictureError, RecordError, ClusterError),
    *(running.RunError, sources.BookError, pairs.JudgingError),
    *(checkpoint_files.CheckpointError, AuditError),
)
DEVICES = [1, 8, 64]
DEFAULT_SCALE = ScaleName("cpu")
ScaleOption = Annotated[
    ScaleName,
    typer.Option(help="; ".join(f"{s.name}: {s.about}" for s in scales.SCALES.values())),
]


@app.command()
def run(
    chapters: Annotated[
        list[str] | None, typer.Argument(help="Chapters by number or name: 5, rain_range.")
    ] = None,
    all_chapters: Annotated[
        bool, typer.Option("--all", help="All chapters, and the front page.")
    ] = False,
    scale: ScaleOption = DEFAULT_SCALE,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute recorded experiments again, too.")
    ] = False,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Stop after so many minutes; go on next time.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Experiments at the same time.")] = 1,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Of each experiment; default: the cores shared out.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Compute on this Ray cluster: auto, HOST:PORT."),
    ] = None,
    gpus: Annotated[
        float, typer.Option(min=0, help="With --ray: GPUs an experiment; four share one at 0.25.")
    ] = 0.0,
) -> None:
    """Compute the experiments that chapters need and that are not recorded yet.

    Nothing finished is ever lost: each experiment is written when it is done, and one that is
    interrupted goes on from its last checkpoint. What tells most is computed first: the extreme
    numbers of backgrounds of all chapters, then those between, then further seeds.
    """
    if bool(chapters) == all_chapters:
        raise typer.BadParameter("Name the chapters to compute, or give --all.")
    if gpus and not ray:
        raise typer.BadParameter("--gpus shares out the GPUs of a cluster; give --ray, too.")
    chosen = scales.scale_named(scale.value)
    wanted = sources.wanted(sources.chapters(chapters), chosen.name)
    # Different experiments may have the same stand-in.
    distinct = {e.name: e for e in running.with_stand_ins(wanted, chosen, recompute)}
    if all_chapters:
        # Nothing can stand in for these: without them the front page shows what chapters computed.
        own = [e for e in front_page.grid(chosen) if running.can_compute(e)]
        distinct |= {e.name: e for e in own}
    grid = running.skeleton_first(list(distinct.values()))
    with _until_interrupted():
        result = running.run_within(
            grid,
            chosen.store,
            recompute=recompute,
            minutes=minutes,
            workers=workers,
            threads=threads,
            on=Cluster(ray, threads or 1, gpus) if ray else None,
        )
    looked = result.computed - result.trained - result.read
    typer.echo(
        f"{len(grid)} experiments: {result.recorded} recorded before; in "
        f"{_duration(result.seconds)} {result.trained} trained, {result.read} computed from kept "
        f"weights, {looked} without a network; {result.left} left"
        + (f" (about {_duration(result.expected_seconds)})." if result.left else ".")
    )
    if result.failures:
        raise running.RunError(running.failures_told(result.failures))


@app.command()
def plan(
    scale: ScaleOption = DEFAULT_SCALE,
    devices: Annotated[
        list[int], typer.Option(min=1, help="Tell how long so many devices like this one take.")
    ] = DEVICES,
) -> None:
    """Say how long all experiments of a scale would train, from steps measured on this machine.

    Nothing is trained but a few steps of each kind of network.
    """
    device = training.device()
    torch.set_num_threads(training.cores())
    found = planning.kinds(sources.everything(scale.value), device)
    typer.echo(
        planning.table(found, devices).to_string(index=False, na_rep="", float_format="%.3g")
    )
    kind = torch.cuda.get_device_name() if device.type == "cuda" else f"{training.cores()} cores"
    typer.echo(f"Training alone, without tests and curves; a device is what this one is: {kind}.")


@app.command()
def book(
    scale: ScaleOption = DEFAULT_SCALE,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Compute recorded experiments again.")
    ] = False,
    save: Annotated[
        bool, typer.Option("--save", help="Write executed notebooks to notebooks/, to commit them.")
    ] = False,
    print_: Annotated[
        bool, typer.Option("--pdf", help="Print the whole book to a PDF, too; needs Chromium.")
    ] = False,
) -> None:
    """Execute every chapter and build the book; prints the page to open, and how to serve it."""
    page = build.make(scale.value, recompute, save)
    if print_:
        typer.echo(f"Printed {pdf.print_whole(page.parents[2])}")
    typer.echo(f"Open {page}")
    typer.echo(f"Or serve it: {sys.executable} -m http.server --directory {page.parent}")


@app.command("claims")
def claims_table(
    scale: ScaleOption = DEFAULT_SCALE,
    long: Annotated[bool, typer.Option("--long", help="With what each claim says.")] = False,
) -> None:
    """Print every claim of the papers with our verdict, from the records of a scale."""
    rows = claims.table(scales.scale_named(scale.value))
    for row in rows.itertuples():
        typer.echo(f"{row.claim:20} {row.verdict}")
        if long:
            typer.echo(f"    {row.says} ({row.where}; {row.paper})")
        for line in filter(None, (row.ours, row.trainings)):
            typer.echo(f"    {line}")
        if row.by_rain != "":
            typer.echo(f"    by the rain response, {row.by_rain!s}: {row.ours_by_rain!s}")
    counts = rows["verdict"].value_counts()
    told = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in claims.VERDICTS)
    typer.echo(f"{len(rows)} claims at scale {scale.value}: {told}.")


@app.command()
def judge(
    endpoint: Annotated[
        str, typer.Option(metavar="URL", help="The server to ask, such as http://127.0.0.1:8000/v1")
    ],
    model: Annotated[str, typer.Option(help="The vision-language model, as the server calls it.")],
    folder: Annotated[
        Path,
        typer.Option("--pairs", help="With 01_a.png, 01_b.png, ...; truth.csv for known pairs."),
    ],
    out: Annotated[Path, typer.Option(help="The answers, a JSON object a line.")],
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for an answer.")] = 60,
    retries: Annotated[int, typer.Option(min=0, help="Of a question that failed.")] = 2,
) -> None:
    """Ask a vision-language model which picture of each pair has less rain.

    Every pair is asked in both orders. The pictures are sent to the server that --endpoint names
    and nowhere else; a key for it is read from RAINLENS_JUDGE_KEY. Interrupted? Run it again: what
    is answered is not asked again.
    """
    asked = pairs.find_pairs(folder)
    server = asking.Server(endpoint, model, timeout, retries)
    for _ in tqdm(asking.ask(asked, server, out), unit="questions"):
        pass  # each answer is in the file by now
    typer.echo(str(summary.summarise(asked, replies.read_answers(out), model)))


@data_app.command("list")
def list_data() -> None:
    """What pictures there are, where they come from, and which are on this machine."""
    typer.echo(data.listing().to_string())
    typer.echo(f"Pictures of your own are read in these formats: {', '.join(data.formats())}.")
    root = data.data_root(must_exist=False)
    if root is None:
        typer.echo(f"RAINLENS_DATA is not set. {data.root_message(data.default_root())}")
    elif root.is_dir():
        typer.echo(f"RAINLENS_DATA is {root}.")
    else:
        typer.echo(f"RAINLENS_DATA is {root}, which `rainlens data fetch` will make and fill.")


@data_app.command()
def fetch(
    sets: Annotated[list[str] | None, typer.Argument(help="Sets to fetch; none: all.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where to; default: RAINLENS_DATA or the user's cache.")
    ] = None,
) -> None:
    """Download sets, check their SHA-256, and convert them. Interrupted? Run it again."""
    root = folder or data.data_root(must_exist=False) or data.default_root()
    typer.echo(data.fetch(sets or (), root).to_string())
    typer.echo(data.root_message(root))


@data_app.command()
def check(
    folder: Annotated[Path | None, typer.Option(help="Default: RAINLENS_DATA.")] = None,
) -> None:
    """Say for each set what is complete, missing or damaged.

    Sets that were never fetched are no fault; the exit status is 1 where one that is there is not
    whole, or where there is none at all.
    """
    table = data.check(folder)
    typer.echo(table.to_string())
    if not table["present"].any():
        raise data.DataError("None of the sets is here yet: fetch them with `rainlens data fetch`.")
    if table["faulty"].any():
        names = ", ".join(table[table["faulty"]].index)
        raise data.DataError(f"These sets are not as they should be: {names}; see the table above.")


@data_app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="Weights as trainers save them: .ckpt, .pth, .pt.")],
    to: Annotated[
        Path | None, typer.Option(help="Default: beside it, ending in .safetensors.")
    ] = None,
) -> None:
    """Take the weights out of a PyTorch file, as safetensors, without executing it.

    Such files are programs: loading one runs what it says. Weights of the training loss are left
    out.
    """
    target = to or file.with_suffix(".safetensors")
    done = checkpoint_files.convert(file, target)
    told = f"{target}: {done.kept} tensors"
    if done.dropped:
        told += f"; left out: {len(done.dropped)} of the training loss"
    if done.stubs:
        more = f" and {len(done.stubs) - 5} more" if len(done.stubs) > 5 else ""
        told += f"; not loaded: {', '.join(done.stubs[:5])}{more}"
    typer.echo(f"{told}.")


@records_app.command()
def pack(
    file: Annotated[Path, typer.Argument(help="The archive to write, such as records.tar.gz.")],
    scale: ScaleOption = DEFAULT_SCALE,
) -> None:
    """Write all records of a scale, with their pictures and weights, to one file."""
    store = scales.scale_named(scale.value).store
    count = records.pack(store, scale.value, file)
    typer.echo(f"{file}: {count} records of scale {scale.value}.")


@records_app.command()
def merge(
    file: Annotated[Path, typer.Argument(help="An archive that `records pack` wrote.")],
) -> None:
    """Add the records of an archive to those here; all of them are verified first."""
    merged = records.merge(file, _store_of)
    typer.echo(
        f"{len(merged.added)} records of scale {merged.scale} added, "
        f"{len(merged.known)} were here already"
        + (
            f", {len(merged.restored)} of them without all files, which are back."
            * bool(merged.restored)
            or "."
        )
    )
    if merged.conflicts:
        names = "\n".join(merged.conflicts)
        raise RecordError(
            f"{len(merged.conflicts)} records are here with other results, and stay as they are; "
            f"delete those that you do not trust, and merge again:\n{names}"
        )


@records_app.command("check")
def check_records(scale: ScaleOption = DEFAULT_SCALE) -> None:
    """Read every record of a scale, with its pictures and weights; say what no checksum covers."""
    found = records.check(scales.scale_named(scale.value).store)
    typer.echo(found.told())
    if found.damaged:
        raise typer.Exit(1)


def _store_of(scale: str) -> records.RecordStore:
    if scale not in scales.SCALES:
        raise RecordError(f"The archive is of scale {scale!r}, which this version does not know.")
    return scales.SCALES[scale].store


def main() -> None:
    """The entry point: known errors end in one sentence, not in a traceback."""
    try:
        app()
    except KNOWN as error:
        typer.echo(f"rainlens: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        typer.echo(f"rainlens: {os_errors.sentence(error)}", err=True)
        sys.exit(1)


@contextmanager
def _until_interrupted() -> Iterator[None]:
    """Ctrl-C ends a long command with one sentence."""
    try:
        yield
    except KeyboardInterrupt as error:
        typer.echo("rainlens: stopped; what is finished is kept. Run it again to go on.", err=True)
        raise typer.Exit(130) from error


def _duration(seconds: float) -> str:
    if math.isnan(seconds):
        return "an unknown time"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


if __name__ == "__main__":
    main()
