"""Training a prior of pictures and fine-tuning it: what moves, what stays, what is handed on."""

import copy
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from rainlens import cluster, data, evaluation, images, metrics, running
from rainlens.evaluation import TestSet
from rainlens.models import build
from rainlens.models.prior import checksum
from rainlens.records import RecordError, RecordStore
from rainlens.scales import SCALES
from rainlens.tasks import codebook, fine_tune, restore
from rainlens.tasks.codebook import Codebook, difference
from rainlens.tasks.fine_tune import FineTuned, Published, Unchanged
from rainlens.tasks.restore import Restore

TESTS = (TestSet("unseen", "streaks", images.EMBEDDED, count=2, crop=32),)
BOOK = Codebook(
    options=(("config", "F"), ("codes", 32), ("restart_after", 2)),
    backgrounds=(images.EMBEDDED,),
    patches=8,
    patch_size=32,
    iterations=2,
    batch=2,
    warmup=0,
    measure_every=1,
    curves=TESTS,
    tests=(*TESTS, TestSet("shown", "medium", images.EMBEDDED, count=1, crop=32, keep=True)),
)
ENCODER = ("encoder", "quant_conv")


def tuned(**changes) -> FineTuned:
    fields = dict(
        model="vqgan",
        options=BOOK.options,
        start=BOOK,
        trained=ENCODER,
        backgrounds=images.EMBEDDED,
        patches=4,
        patch_size=32,
        iterations=2,
        batch=2,
        learning_rate=1e-3,
        measure_every=1,
        tests=TESTS,
    )
    return FineTuned(**{**fields, **changes})


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> RecordStore:
    """Holds the trained code book and a network that was tuned from it."""
    store = RecordStore(tmp_path_factory.mktemp("priors"))
    outcome = running.run_within([tuned()], store, threads=1)
    assert outcome.trained == 2 and not outcome.failures  # the book came along
    return store


def test_the_book_s_record_tells_how_well_it_gives_pictures_back(store):
    record = store.load(BOOK.name)
    assert record.curves["unseen/psnr"][-1] > record.curves["unseen/psnr"][0]
    assert 0 < record.tests["unseen"]["live"][0] <= 1
    assert 1 <= record.tests["unseen"]["perplexity"][0] <= 32
    clean = evaluation.load(BOOK.tests[1])[1][0]
    with torch.inference_mode():
        again = codebook.trained(BOOK, store).ceiling(images.to_unit(clean)[None])
    expected = metrics.psnr_rgb(again.clamp(0, 1), images.to_unit(clean)[None]).item()
    # Half precision of the weights, and bfloat16 where the processor has it.
    assert record.tests["shown"]["psnr"][0] == pytest.approx(expected, abs=0.05)


def test_weights_that_are_handed_on_are_half_as_large_and_without_what_learning_needs(store):
    held = load_file(store.weights_path(BOOK.name))
    assert {value.dtype for value in held.values()} == {torch.float16}
    assert not any(name.startswith("quantize.usage") for name in held)


@pytest.mark.parametrize("broken", ["missing", "damaged", "of another network"])
def test_weights_that_cannot_be_used_are_named(store, tmp_path, broken):
    copy = RecordStore(tmp_path)
    for path in (store.path(BOOK.name), store.weights_path(BOOK.name)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    wanted = BOOK
    if broken == "missing":
        copy.weights_path(BOOK.name).unlink()
    elif broken == "damaged":
        copy.weights_path(BOOK.name).write_bytes(b"no weights")
    else:
        wanted = replace(BOOK, options=(("config", "F"), ("codes", 16)))
    with pytest.raises(RecordError, match="safetensors"):
        codebook.trained(wanted, copy)


def test_a_discriminator_learns_beside_the_book_from_the_step_at_which_it_counts(tmp_path):
    disputed = replace(BOOK, adversarial=0.5, adversarial_from=1)
    assert disputed.key != BOOK.key
    begun = disputed.fresh_model()
    found = {}
    for name, iterations in (("before", 1), ("after", 2)):
        model = copy.deepcopy(begun)
        told = replace(disputed, iterations=iterations, learning_rate=1e-3)
        curves = told.fit(model, lambda model: {})
        found[name] = checksum(model.discriminator)
        assert checksum(model.decoder) != checksum(begun.decoder)
    assert found["before"] == checksum(begun.discriminator) != found["after"]
    assert curves["discriminator"][-1] == pytest.approx(1.0, abs=0.2)  # it knows nothing yet
    running.run_within([disputed], (store := RecordStore(tmp_path)), threads=1)
    held = load_file(store.weights_path(disputed.name))
    assert not any(name.startswith("discriminator") for name in held)
    assert codebook.trained(disputed, store).factor == 8


def test_a_distance_of_features_can_be_part_of_the_loss(monkeypatch):
    """A stand-in for the weights that may not be passed on: the mean of all differences."""
    monkeypatch.setattr("rainlens.quality.lpips.style", lambda device: lambda a, b: (a - b).abs())
    model = BOOK.fresh_model()
    plain, felt = (
        replace(BOOK, perceptual=weight).objective(model.eval())(model, 0).item()
        for weight in (None, 2.0)
    )
    clean = codebook.batches(BOOK, torch.device("cpu"))(0)
    expected = 2 * (model(clean) - clean).abs().mean().item()
    assert felt - plain == pytest.approx(expected, rel=0.05)
    assert "weights" in replace(BOOK, perceptual=2.0).needs()


def test_only_the_encoder_s_side_has_moved(store):
    before = codebook.trained(BOOK, store)
    after = tuned().fresh_model()
    after.load_state_dict(store.trained(tuned().training_key).weights)
    for name in ("quantize.embedding", "post_quant_conv", "decoder"):
        assert checksum(after.get_submodule(name)) == checksum(before.get_submodule(name)), name
    for name in ENCODER:
        assert checksum(after.get_submodule(name)) != checksum(before.get_submodule(name)), name


def test_of_a_prior_only_what_it_learned_is_handed_on(store, tmp_path):
    one = tuned(keep_weights=True)
    (record,) = running.run_within([one], store, threads=1).records
    assert record.provenance["weights"] == "read"  # the same training as without
    held = load_file(store.weights_path(one.name))
    assert {name.split(".")[0] for name in held} == set(ENCODER)
    clone = RecordStore(tmp_path)
    for found in (record, store.load(BOOK.name)):
        clone.put({path.name: path.read_bytes() for path in store.files(found)})
    network = restore.trained(one, clone)
    before = codebook.trained(BOOK, clone)
    assert checksum(network.decoder) == checksum(before.decoder)
    scores, _ = restore.results(one, network)
    assert scores["unseen"]["psnr"] == pytest.approx(record.tests["unseen"]["psnr"], abs=0.05)


def test_before_the_first_step_it_answers_as_the_prior_does(store):
    clean = torch.rand(1, 3, 33, 40, generator=torch.Generator().manual_seed(0))
    network = tuned().fresh_model()
    tuned().begin(network, store)
    network.eval()
    with torch.inference_mode():
        assert torch.equal(network(clean), codebook.trained(BOOK, store).ceiling(clean))


def test_its_ceiling_stands_beside_its_scores(store):
    record = store.load(tuned().name)
    prior = codebook.trained(BOOK, store)
    rainy, clean = evaluation.load(TESTS[0])
    answers = evaluation.restore(prior, clean)
    for place, (answer, before, truth) in enumerate(zip(answers, rainy, clean, strict=True)):
        truth, before = images.to_unit(truth)[None], images.to_unit(before)[None]
        told = record.tests["unseen"]
        psnr = metrics.psnr_rgb(answer[None], truth).item()
        assert told["ceiling_psnr"][place] == pytest.approx(psnr, abs=1e-3)
        # The ceiling differs from the clean picture; the distance to it cannot be the same.
        assert told["ceiling_e_b"][place] != pytest.approx(told["e_b"][place], abs=1e-3)
    still = tuned(learning_rate=0.0)
    network = still.fresh_model()
    still.begin(network, store)
    scores, _ = still.results(network, store)
    outputs = evaluation.restore(network, rainy)
    outside = ~metrics.rain_mask(*(images.to_unit(p[0])[None] for p in (rainy, clean)))
    by_hand = metrics.region_error(outputs[0][None], answers[0][None], outside).item()
    assert scores["unseen"]["ceiling_e_b"][0] == pytest.approx(by_hand, abs=1e-3)


def test_a_clone_with_the_record_alone_tunes_without_training_the_book(store, tmp_path):
    for path in store.files(store.load(BOOK.name)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    clone, other = RecordStore(tmp_path), tuned(seed=1)
    outcome = running.run_within([other], clone, threads=1)
    assert not outcome.failures and outcome.trained == 1
    assert not clone.trained_path(BOOK.training_key).exists()


def test_a_twin_s_weights_are_as_good_a_start_as_those_beside_the_record(store, tmp_path):
    """A book that was looked at in other ways was trained alike: one network is kept for both."""
    twin = replace(BOOK, tests=TESTS)
    assert twin.training_key == BOOK.training_key and twin.name != BOOK.name
    other, mine = tuned(start=twin, seed=4), RecordStore(tmp_path)
    mine.keep_trained(BOOK.training_key, store.trained(BOOK.training_key))
    outcome = running.run_within([other], mine, threads=1)
    assert not outcome.failures and outcome.trained == 1
    assert checksum(codebook.trained(twin, mine)) == checksum(codebook.trained(BOOK, store))


def test_a_worker_elsewhere_gets_the_weights_to_start_from(store, tmp_path):
    sent = cluster.kept(store, tuned(seed=2))
    cluster.write_kept(RecordStore(tmp_path), sent)
    arrived = codebook.trained(BOOK, RecordStore(tmp_path))
    assert checksum(arrived) == checksum(codebook.trained(BOOK, store))


def test_stopped_and_resumed_it_ends_with_the_same_bits(store, tmp_path, one_thread):
    for path in store.files(store.load(BOOK.name)):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    parts, other = RecordStore(tmp_path), tuned(seed=3)
    calls = 0
    while parts.load(other.name) is None:
        assert not running.run_within([other], parts, minutes=0, threads=1).failures
        calls += 1
    whole = running.run_within([other], store, threads=1).records[0]
    assert calls == other.iterations
    assert parts.load(other.name).results == whole.results


@pytest.mark.parametrize(
    "changes",
    [
        dict(options=(*BOOK.options, ("quantised", False))),
        dict(trained=()),
        dict(start=None, trained=()),
        dict(unharmed=True),
        dict(model="taef2", options=(), start=None, trained=()),
    ],
    ids=["no book", "nothing frozen", "from scratch", "clean to clean", "other network"],
)
def test_each_arm_of_the_grid_trains(store, changes):
    record = running.run_within([tuned(**changes)], store, threads=1).records[0]
    assert record is not None and record.tests["unseen"]["response"][0] is not None
    assert ("ceiling_psnr" in record.tests["unseen"]) == ("start" not in changes)


def test_clean_to_clean_never_sees_rain(store, monkeypatch):
    clean = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    losses = []
    for rainy in (torch.zeros_like(clean), torch.ones_like(clean)):
        monkeypatch.setattr(
            fine_tune, "training_batches", lambda *_, rainy=rainy: lambda step: (rainy, clean)
        )
        experiment = tuned(unharmed=True)
        network = experiment.fresh_model()
        experiment.begin(network, store)
        losses.append(experiment.objective(network)(network, 0).item())
    assert losses[0] == losses[1]


def test_the_loss_is_that_of_the_specification(store, monkeypatch):
    """L1 of the output + `match` x the squared distance to the codes of the clean picture."""
    source = torch.Generator().manual_seed(2)
    rainy, clean = (torch.rand(2, 3, 32, 32, generator=source) for _ in range(2))
    monkeypatch.setattr(fine_tune, "training_batches", lambda *_: lambda step: (rainy, clean))
    monkeypatch.setattr("rainlens.training.uses_bfloat16", lambda device: False)
    told = {}
    for match in (0.0, 3.0):
        experiment = tuned(match=match)
        network = experiment.fresh_model()
        experiment.begin(network, store)
        told[match] = experiment.objective(network)(network, 0).item()
    prior = codebook.trained(BOOK, store)
    with torch.no_grad():
        latent = prior.encode(rainy)
        absolute = (prior.decode(prior.quantise(latent).values) - clean).abs().mean().item()
        apart = latent - prior.quantise(prior.encode(clean)).values
    assert told[0.0] == pytest.approx(absolute, rel=1e-4)
    assert told[3.0] - told[0.0] == pytest.approx(3 * apart.square().mean().item(), rel=1e-4)


def test_differences_by_hand():
    clean = torch.zeros(1, 3, 4, 4)
    assert difference(clean + 0.25, clean, edges=1.0).item() == pytest.approx(0.25)
    # A column of ones at the left: a quarter of the pixels is off by 1. Of 12 differences across,
    # 4 are off; at half size, of 2, both by 1/2; none along the columns.
    output = clean.clone()
    output[..., 0] = 1
    expected = 0.25 + 0.5 * (4 / 12 + 0.5)
    assert difference(output, clean, edges=1.0).item() == pytest.approx(expected)


def test_codes_are_counted_over_pictures_of_any_size(store):
    book = codebook.trained(BOOK, store)  # f = 8
    pictures = [torch.zeros(3, 17, 33, dtype=torch.uint8), torch.zeros(3, 8, 8, dtype=torch.uint8)]
    assert len(codebook.codes_of(book, pictures)) == 2 * 4 + 1


def test_without_data_embedded_photographs_stand_in_for_all():
    whole = tuned(
        model="taef2",
        options=(("groups", 8),),
        start=Published(),
        trained=("encoder",),
        backgrounds="natural",
    )
    assert {"weights", "photos", "natural"} <= whole.needs()
    assert whole.stand_in().needs() == {images.EMBEDDED}
    natural = replace(BOOK, backgrounds=("natural", "photos"))
    assert tuned(start=natural, backgrounds="natural").stand_in().needs() == {images.EMBEDDED}
    assert "photos" in tuned(start=natural).needs()


@pytest.mark.parametrize(
    ("model", "start", "told"),
    [("vqgan", Published(), "TAEF2's"), ("taef2", BOOK, "a VQGAN's")],
)
def test_weights_of_the_wrong_kind_are_refused(store, model, start, told):
    with pytest.raises(ValueError, match=told):
        fine_tune.load_start(build(model), start, store, seed=0)


def test_small_pictures_are_passed_over_where_that_is_allowed(tmp_path):
    source = torch.Generator().manual_seed(0)
    for name, side in (("a", 8), ("b", 40), ("c", 40), ("d", 40)):
        picture = torch.randint(256, (3, side, side), generator=source, dtype=torch.uint8)
        (tmp_path / f"{name}.png").write_bytes(images.encode_png(picture))
    for name in ("a", "x"):  # every fifth picture by name is for tests: let a small one train
        small = torch.randint(256, (3, 8, 8), generator=source, dtype=torch.uint8)
        (tmp_path / f"e{name}.png").write_bytes(images.encode_png(small))
    with pytest.raises(data.PictureError, match="smaller than a patch"):
        images.patches(str(tmp_path), 4, 32, 0)
    crops = images.numbered_crops(str(tmp_path), 32, 0, small=True)
    numbers = {next(crops)[0] for _ in range(6)}
    sizes = [images.load(file).shape[-1] for file in images.names(str(tmp_path), "train")]
    assert {sizes[number] for number in numbers} == {40}


# --- the published weights, where they are -------------------------------------------------------


def test_a_published_prior_passes_rain_on_and_its_codes_are_a_ceiling(tmp_path):
    needed = ("weights", "photos", "rain100l")
    if not all(images.is_available(name) for name in needed):
        pytest.skip("needs weights, photos and rain100l in RAINLENS_DATA")
    tests = (TestSet("unseen", "rain100l", "rain100l", count=4),)
    free, on_codes = (
        Unchanged(options=options, tests=tests) for options in ((), (("groups", 16), ("codes", 64)))
    )
    outcome = running.run_within([free, on_codes], RecordStore(tmp_path), threads=2)
    first, second = (record.tests["unseen"] for record in outcome.records)
    assert min(first["response"]) > 0.9
    assert sum(second["damage"]) > sum(first["damage"])


# --- networks of the lab, and those with a loss of their own --------------------------------------


def test_weights_that_belong_to_a_record_give_the_network_back(tmp_path):
    small = dict(model="resnet", options=(("blocks", 1), ("channels", 8)), batch=2, patches=4)
    one = Restore(
        **small, backgrounds=images.EMBEDDED, patch_size=32, iterations=3, tests=TESTS,
        learning_rate=1e-3, keep_weights=True,
    )  # fmt: skip
    store = RecordStore(tmp_path / "store")
    (record,) = running.run_within([one], store, threads=1).records
    clone = RecordStore(tmp_path / "clone")
    clone.put({path.name: path.read_bytes() for path in store.files(record)})
    network = restore.trained(one, clone)
    exact = one.fresh_model()
    exact.load_state_dict(store.trained(one.training_key).weights)
    for name, value in network.state_dict().items():
        assert torch.equal(value, exact.state_dict()[name].half().float()), name
    scores, _ = restore.results(one, network)
    assert scores["unseen"]["psnr"] == pytest.approx(record.tests["unseen"]["psnr"], abs=0.05)
    other = replace(one, seed=1)
    with pytest.raises(RecordError, match="train it first"):
        restore.trained(other, clone)
    assert replace(one, keep_weights=None).training_key == one.training_key


def test_the_lab_s_networks_are_the_usual_ones_with_their_weights():
    setting = SCALES["cpu"]
    kept = setting.experiment(patches=8, degradation="small", seed=setting.lab_seed)
    assert kept.keep_weights
    for changes in (dict(patches=8, seed=0), dict(patches=8, seed=setting.lab_seed, batch=4)):
        assert setting.experiment(**changes).keep_weights is None
    usual = setting.experiment(patches=8, degradation="small", seed=0)
    assert replace(usual, seed=setting.lab_seed).training_key == kept.training_key


def test_a_network_with_a_loss_of_its_own_is_trained_by_it(monkeypatch):
    one = Restore(
        model="prn", options=(("rounds", 1),), backgrounds=images.EMBEDDED,
        patches=4, patch_size=32, batch=2, iterations=2,
    )  # fmt: skip
    network = one.fresh_model()
    rainy, clean = restore.training_batches(one, torch.device("cpu"))(0)
    monkeypatch.setattr("rainlens.training.uses_bfloat16", lambda device: False)
    told = one.objective(network)(network, 0)
    assert told.item() == pytest.approx(network.objective(rainy, clean).item())
    assert told.item() == pytest.approx(-metrics.ssim_rgb(network(rainy), clean).mean().item())
