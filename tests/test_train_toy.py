"""The training panel of the toy task, without a browser."""

import re
import time

from rainlens.widgets import trainer_lab
from rainlens.widgets.train_toy import TrainToy

QUICK = dict(channels=16, iterations=50)


def test_nothing_runs_before_the_button_is_pressed():
    panel = TrainToy(**QUICK)
    assert panel.history == [] and panel.view.value == ""
    assert not panel.start.disabled and panel.stop.disabled


def test_a_training_shows_its_fit_its_errors_and_its_end():
    panel = TrainToy(**QUICK)
    panel.start.click()
    panel.wait(60)
    (run,) = panel.history
    assert panel.bar.value == panel.bar.max == 50
    assert run["curves"]["iteration"][0] == 0 and run["curves"]["iteration"][-1] == 50
    assert run["curves"]["as trained"][-1] < run["curves"]["as trained"][0]
    assert re.search(r'role="status".*Done at step 50 of 50', panel.status.value)
    assert re.search(r'<img alt="[^"]+".*src="data:image/png;base64,', panel.view.value)
    assert not panel.start.disabled and panel.stop.disabled


def test_stop_ends_a_training_and_the_next_one_is_compared_with_it():
    panel = TrainToy(channels=16, iterations=12000)
    panel.start.click()
    panel.start.click()  # a second press while it runs changes nothing
    while panel.bar.value < 5:
        time.sleep(0.01)
    panel.stop.click()
    panel.wait(60)
    assert "Stopped" in panel.status.value and panel.bar.value < 12000
    assert not panel.start.disabled
    alone = len(panel.view.value)
    panel.iterations.value = 50
    panel.start.click()
    panel.wait(60)
    assert len(panel.history) == 2 and "Done" in panel.status.value
    assert len(panel.view.value) > alone  # two runs are drawn


def test_an_error_is_shown_and_the_panel_stays_usable(monkeypatch):
    panel = TrainToy(**QUICK)
    monkeypatch.setattr("rainlens.toy_evaluation.answers", lambda *a: 1 / 0)
    panel.start.click()
    panel.wait(60)
    assert "Failed (ZeroDivisionError" in panel.status.value
    assert not panel.start.disabled


def test_a_page_without_kernel_gets_the_place_of_the_trainer():
    bundle = TrainToy()._repr_mimebundle_()
    assert bundle["text/html"] == trainer_lab.static_panel()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "where scripts run" in bundle["text/plain"]
