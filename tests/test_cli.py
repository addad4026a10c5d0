"""The command line and the way from a chapter to a page."""

from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from rainlens import cli, data, scales
from rainlens.records import Record, RecordStore, key_of
from rainlens.site import build, execution, sources, staging
from rainlens.tasks import Session
from rainlens.widgets import toy

CHAPTER = """\
# %% [markdown]
# # A chapter

# %% tags=["parameters"]
scale = "cpu"
recompute = False

# %% tags=["setup"]
from rainlens.running import run
from rainlens.scales import scale_named

setting = scale_named(scale)

# %% tags=["grid"]
grid = [setting.experiment(degradation="small", patches=8, iterations=2, measure_every=2)]

# %%
raise RuntimeError("a cell that only papermill runs")
"""


@pytest.fixture
def chapter(tmp_path: Path) -> Path:
    path = tmp_path / "05_made_up.py"
    path.write_text(CHAPTER)
    return path


@pytest.fixture
def no_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.delenv(data.VARIABLE, raising=False)
    monkeypatch.setenv(scales.RECORDS_VARIABLE, str(tmp_path / "records"))
    return tmp_path / "records"


def invoke(*words: str):
    return CliRunner().invoke(cli.app, [*words])


def test_grid_runs_only_the_tagged_cells_at_the_scale_asked_for(chapter: Path):
    (experiment,) = sources.grid(chapter, "smoke")
    expected = scales.SCALES["smoke"].experiment(
        degradation="small", patches=8, iterations=2, measure_every=2
    )
    assert experiment == expected


@pytest.mark.parametrize("name", ["5", "05", "05_rain_range", "rain_range"])
def test_a_chapter_goes_by_many_names(name: str):
    assert [path.stem for path in sources.chapters([name])] == ["05_rain_range"]


def test_an_unknown_chapter_is_answered_with_those_there_are():
    with pytest.raises(sources.BookError, match="no chapter '99'.*05_rain_range"):
        sources.chapters(["99"])


def test_run_computes_then_reads(chapter: Path, no_data: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sources, "chapters", lambda wanted: [chapter])
    first = invoke("run", "5", "--scale", "smoke")
    assert first.exit_code == 0, first.output
    assert "0 recorded before" in first.output and "1 trained, 0 computed from kept" in first.output
    again = invoke("run", "5", "--scale", "smoke")
    assert "1 recorded before" in again.output and " 0 trained" in again.output
    assert len(list(no_data.glob("smoke/*.json"))) == 1


def test_run_without_time_says_what_is_left(
    chapter: Path, no_data: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sources, "chapters", lambda wanted: [chapter])
    result = invoke("run", "5", "--scale", "smoke", "--minutes", "0")
    assert result.exit_code == 0, result.output
    assert "1 left" in result.output


@pytest.mark.parametrize(("scale", "left"), [("smoke", 3), ("cpu", 1)])
def test_all_means_the_front_page_too_where_it_can_be_computed(
    chapter: Path, no_data: Path, monkeypatch: pytest.MonkeyPatch, scale: str, left: int
):
    monkeypatch.setattr(sources, "chapters", lambda wanted=None: [chapter])
    result = invoke("run", "--all", "--scale", scale, "--minutes", "0")
    assert result.exit_code == 0, result.output
    assert f"{left} left" in result.output
    assert len(sources.everything(scale)) == 3


def test_run_needs_chapters_or_all():
    assert invoke("run").exit_code != 0
    assert invoke("run", "5", "--all").exit_code != 0


def test_known_errors_end_in_one_sentence(monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr("sys.argv", ["rainlens", "run", "99"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("rainlens: There is no chapter '99'") and said.count("\n") == 1


def test_data_list_names_every_set(no_data: Path):
    result = invoke("data", "list")
    assert result.exit_code == 0
    assert all(name in result.output for name in data.SETS)


def test_help_is_there_for_every_command():
    for words in ([], ["run"], ["book"], ["data"], ["data", "fetch"], ["data", "check"]):
        result = invoke(*words, "--help")
        assert result.exit_code == 0 and "Usage" in result.output


def test_a_failing_cell_is_named(chapter: Path, tmp_path: Path, no_data: Path):
    with pytest.raises(sources.BookError, match="05_made_up.py failed in cell .*RuntimeError"):
        execution.execute(chapter, tmp_path / "out.ipynb", "smoke")


def test_tidy_drops_progress_and_repeated_parameters():
    cells = [
        nbformat.v4.new_code_cell("scale", metadata={"tags": ["parameters"], "papermill": {}}),
        nbformat.v4.new_code_cell("scale", metadata={"tags": ["injected-parameters"]}),
        nbformat.v4.new_code_cell(
            "run()",
            outputs=[
                nbformat.v4.new_output("stream", name="stderr", text="10%|#"),
                nbformat.v4.new_output("stream", name="stdout", text="result"),
            ],
        ),
    ]
    notebook = execution.tidy(nbformat.v4.new_notebook(cells=cells), "cpu")
    assert [cell.source for cell in notebook.cells] == ["scale", "run()"]
    assert notebook.cells[0].metadata == {"tags": ["parameters"]}
    assert [output.text for output in notebook.cells[1].outputs] == ["result"]


def test_a_stored_error_stops_the_build(tmp_path: Path):
    error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
    cell = nbformat.v4.new_code_cell("1 / 0", outputs=[error])
    (tmp_path / "notebooks").mkdir()
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), tmp_path / "notebooks" / "01_x.ipynb")
    with pytest.raises(sources.BookError, match="01_x.ipynb holds the output of an error"):
        build.build(tmp_path)


def test_tidy_stores_a_widget_as_its_html():
    view = "application/vnd.jupyter.widget-view+json"
    both = nbformat.v4.new_output("display_data", {view: {"model_id": "1"}, "text/html": "<p>"})
    cell = nbformat.v4.new_code_cell("panel", outputs=[both], execution_count=1)
    notebook = execution.tidy(nbformat.v4.new_notebook(cells=[cell]), "cpu")
    assert dict(notebook.cells[0].outputs[0].data) == {"text/html": "<p>"}


def test_toy_networks_are_laid_out_where_the_page_looks(tmp_path, monkeypatch):
    monkeypatch.setenv("RAINLENS_RECORDS", str(tmp_path / "records"))
    setting = scales.SCALES["smoke"]
    setting.toy(4).compute(setting.store, Session())
    staging.lay_out_toy_networks(tmp_path / "site", "smoke")  # orders 1 and 8 have no weights
    folder = tmp_path / "site" / "book" / "_static" / "toy"
    assert sorted(path.name for path in folder.iterdir()) == [
        "toy_o4.safetensors",
        "toy_o4.safetensors.js",
    ]
    model, metadata = toy.unpack((folder / "toy_o4.safetensors").read_bytes())
    assert float(metadata["order"]) == 4


def test_records_travel_by_archive(tmp_path, monkeypatch):
    name = f"derain-x-{key_of('derain', {'seed': 0})}"
    record = Record(name, {"seed": 0}, {}, {"unseen": {"gain": [1.0, 2.0]}})
    RecordStore(tmp_path / "here" / "smoke").save(record)
    archive = str(tmp_path / "records.tar.gz")
    monkeypatch.setenv("RAINLENS_RECORDS", str(tmp_path / "here"))
    packed = CliRunner().invoke(cli.app, ["records", "pack", archive, "--scale", "smoke"])
    assert packed.exit_code == 0 and "1 records of scale smoke" in packed.output
    monkeypatch.setenv("RAINLENS_RECORDS", str(tmp_path / "there"))
    merged = CliRunner().invoke(cli.app, ["records", "merge", archive])
    assert merged.exit_code == 0 and "1 records of scale smoke added, 0 were" in merged.output
    assert RecordStore(tmp_path / "there" / "smoke").load(name).results == record.results
