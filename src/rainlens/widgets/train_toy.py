"""A panel that trains a toy network before the reader's eyes, in a notebook with a kernel.

Where no kernel runs, as on a built page, the trainer stands in for it (`trainer_lab`).
"""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import ipywidgets as widgets
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from rainlens import signals, toy_evaluation
from rainlens.escaping import escaped
from rainlens.tasks.toy import Toy
from rainlens.widgets import trainer_lab

POINTS = 256
PICTURES = 24  # of the fit, along one training
SUBJECT = ("signal order O", "noise mean", "noise spread", "width (channels)", "training steps")
NOW, BEFORE, TRUTH, NOISY = "#0072B2", "#E69F00", "#1b1b1b", "#b8bcc0"


class Stopped(Exception):
    """The reader pressed Stop."""


class TrainToy(widgets.VBox):
    """Choose a signal, its noise, a width and a number of steps; train, watch, stop, compare.

    The settings are the widgets `order`, `noise_mean`, `noise_std`, `channels`, `iterations`;
    `start` and `stop` are the buttons, `bar`, `status` and `view` what they fill. After a training
    `history` holds one dict a run, with `experiment`, `curves` and the last `answers`.
    """

    def __init__(self, **settings: float) -> None:
        wide = dict(style={"description_width": "9.5em"}, layout={"width": "min(100%, 26em)"})
        self.order = widgets.IntSlider(1, 1, 12, description=SUBJECT[0], **wide)
        self.noise_mean = widgets.FloatSlider(0, min=-5, max=5, description=SUBJECT[1], **wide)
        self.noise_std = widgets.FloatSlider(
            1, min=0, max=5, step=0.5, description=SUBJECT[2], **wide
        )
        self.channels = widgets.SelectionSlider(
            options=[16, 32, 64, 96, 136], value=64, description=SUBJECT[3], **wide
        )
        self.iterations = widgets.SelectionSlider(
            options=[50, 200, 500, 1000, 2000, 5000, 12000], value=1000, description=SUBJECT[4],
            **wide,
        )  # fmt: skip
        self.start = widgets.Button(description="Train", button_style="primary", icon="play")
        self.stop = widgets.Button(description="Stop", icon="stop", disabled=True)
        self.bar = widgets.IntProgress(0, 0, 1, layout={"width": "min(100%, 18em)"})
        self.status = widgets.HTML()
        self.view = widgets.HTML()
        self.history: list[dict[str, Any]] = []
        self._enough = Event()
        self._thread: Thread | None = None
        self.start.on_click(lambda _: self.train())
        self.stop.on_click(lambda _: self._enough.set())
        for name, value in settings.items():
            getattr(self, name).value = value
        choices = [self.order, self.noise_mean, self.noise_std, self.channels, self.iterations]
        buttons = widgets.HBox([self.start, self.stop, self.bar], layout={"flex_flow": "row wrap"})
        super().__init__([*choices, buttons, self.status, self.view])
        self._say("Ready. Nothing is trained until you press Train.")

    def experiment(self) -> Toy:
        """What the settings ask for."""
        return Toy(
            order=self.order.value,
            channels=self.channels.value,
            iterations=self.iterations.value,
            noise_mean=self.noise_mean.value,
            noise_std=self.noise_std.value,
            measure_every=max(1, self.iterations.value // PICTURES),
        )

    def train(self) -> None:
        """Starts a training in the background; does nothing while one runs."""
        if self._thread is not None and self._thread.is_alive():
            return
        experiment = self.experiment()
        model = experiment.fresh_model()
        self._enough.clear()
        self.start.disabled, self.stop.disabled = True, False
        self.bar.value, self.bar.max = 0, experiment.iterations
        self._thread = Thread(target=self._guarded, args=(model, experiment), daemon=True)
        self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Blocks until the training is over, for use without a front end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _guarded(self, model: nn.Module, experiment: Toy) -> None:
        run = {"experiment": experiment, "curves": {}, "answers": {}}
        self.history.append(run)
        begun = time.monotonic()
        try:
            experiment.fit(model, self._watch(run, begun), progress=self._advance)
            ending = "Done"
        except Stopped:
            ending = "Stopped"
        except Exception as error:  # a thread's error would otherwise appear nowhere
            ending = f"Failed ({escaped(f'{type(error).__name__}: {error}')})"
        finally:
            self.start.disabled, self.stop.disabled = False, True
        self._say(f"{ending} {self._told(run, begun)}")

    def _advance(self, steps: int) -> None:
        if self._enough.is_set():
            raise Stopped
        self.bar.value += steps

    def _watch(self, run: dict[str, Any], begun: float) -> Callable[[nn.Module], dict[str, float]]:
        experiment = run["experiment"]
        signal = signals.Cosine(experiment.order)
        tests = {
            "as trained": signals.Noise(experiment.noise_mean, experiment.noise_std),
            "foreign noise": signals.SHIFTED_NOISE,
        }
        for name in ("iteration", *tests):
            run["curves"][name] = []

        def measure(model: nn.Module) -> dict[str, float]:
            point = {}
            for name, noise in tests.items():
                noisy, output, clean = toy_evaluation.answers(model, signal, noise, 8, POINTS)
                point[name] = signals.mean_square_error(output, clean).mean().item()
                run["answers"][name] = (noise, noisy[0, 1].numpy(), output[0, 1].numpy())
                run["curves"][name].append(point[name])
            # `fit` calls this every so many steps, before the bar has moved on.
            steps = len(run["curves"]["iteration"]) * experiment.measure_every
            run["curves"]["iteration"].append(min(steps, experiment.iterations))
            self.view.value = self._drawn()
            self._say(f"Training {self._told(run, begun)}")
            return point

        return measure

    def _told(self, run: dict[str, Any], begun: float) -> str:
        curves = run["curves"]
        if not curves.get("iteration"):
            return "before the first step."
        return (
            f"at step {curves['iteration'][-1]:,} of {run['experiment'].iterations:,}, "
            f"{time.monotonic() - begun:.0f} s. MSE as trained {curves['as trained'][-1]:.4f}, "
            f"under N(10, 5) {curves['foreign noise'][-1]:.2f}."
        )

    def _say(self, text: str) -> None:
        self.status.value = f'<p role="status" style="margin:0.3em 0">{text}</p>'

    def _drawn(self) -> str:
        """The last run's answers and curves with those of the run before, as an image tag."""
        now = self.history[-1]
        before = self.history[-2] if len(self.history) > 1 else None
        # Not pyplot, which may not be used in a thread.
        figure = Figure(figsize=(10, 3.1), layout="constrained")
        axes = figure.subplots(1, 3)
        x = np.linspace(-signals.LIMIT, signals.LIMIT, POINTS)
        truth = signals.Cosine(now["experiment"].order)(torch.from_numpy(x))
        for panel, (name, (noise, noisy, output)) in zip(
            axes, now["answers"].items(), strict=False
        ):
            panel.plot(x, noisy, ".", color=NOISY, markersize=3)
            panel.plot(x, truth, "--", color=TRUTH, linewidth=1)
            if before is not None:
                panel.plot(x, before["answers"][name][2], color=BEFORE, linewidth=1.4)
            panel.plot(x, output, color=NOW, linewidth=2)
            panel.set(title=f"{name}: N({noise.mean:g}, {noise.spread:g})", xlabel="x")
        for run, colour, word in ((before, BEFORE, "before"), (now, NOW, "this run")):
            if run is not None:
                for name, style in (("as trained", "-"), ("foreign noise", "--")):
                    curve = run["curves"]
                    axes[2].plot(
                        curve["iteration"], curve[name], style, color=colour,
                        label=f"{word}, {name}",
                    )  # fmt: skip
        axes[2].set(yscale="log", xlabel="training steps", title="mean square error")
        axes[2].legend(fontsize=7, frameon=False)
        target = io.BytesIO()
        figure.savefig(target, format="png", dpi=110)
        alt = "The network's answer as trained and under foreign noise, and its errors so far"
        text = base64.b64encode(target.getvalue()).decode()
        return f'<img alt="{alt}" style="max-width:100%" src="data:image/png;base64,{text}">'

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        data = super()._repr_mimebundle_(**options)
        text = f"[{trainer_lab.NO_SCRIPT}]"
        return {**data, "text/html": trainer_lab.static_panel(), "text/plain": text}
