"""Training on a tiny network: it learns, goes on exactly where it was stopped, and shares work out."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_start import save_start

pytest.importorskip(
    "accelerate", reason="no accelerate here: pip install -r requirements-train.txt"
)

from diml_core.data import DATASETS
from diml_core.data.base import LabelledImages
from diml_core.data.scenes import SceneTruth
from diml_core.errors import InputError
from diml_core.learning import activations, training
from diml_core.learning.config import TrainConfig
from diml_core.learning.distance import StructuralSimilarity
from diml_core.learning.gather import gather
from diml_core.learning.learner import averaged
from diml_core.learning.losses import LOSSES
from diml_core.learning.preservation import preservation_loss
from diml_core.learning.processes import accelerator_on
from diml_core.learning.sampler import balanced_batch, split_classes
from diml_core.learning.training import Training
from diml_core.learning.validation import CHOSEN_BY
from diml_core.network.checkpoints import SHIPPED, load_model
from diml_core.network.model_config import ModelConfig

CLASSES, IMAGES = 8, 6
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Smooth colours; a class is a colour layout under noise."""
    folder = tmp_path_factory.mktemp("photos")
    random = np.random.default_rng(0)
    pairs = []
    for label in range(CLASSES):
        layout = random.integers(0, 256, (4, 4, 3))
        for index in range(IMAGES):
            noisy = np.clip(layout + random.integers(-40, 40, layout.shape), 0, 255).astype(
                np.uint8
            )
            path = folder / f"{label}-{index}.png"
            Image.fromarray(noisy).resize((64, 64), Image.Resampling.BICUBIC).save(path)
            pairs.append((f"class {label}", path))
    return LabelledImages.from_pairs("folder", "train", pairs)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    folder = tmp_path_factory.mktemp("start")
    save_start(folder)
    return str(folder)


def config(start, **changes):
    usual = {
        "start": start, "model": {"head": 16}, "data": "folder", "trained_blocks": 1, "views": 2,
        "classes_per_batch": 4, "images_per_class": 3, "steps": 8, "warmup": 1, "validate_every": 4,
        "validation_share": 0.25, "backbone_rate": 1e-3, "head_rate": 1e-2, "ema": 0.5,
    }  # fmt: skip
    return TrainConfig(**usual | changes)


def test_a_run_leaves_a_model_that_loads_and_a_record(start, images, tmp_path):
    model = Training(config(start), images, tmp_path / "run", progress=False).run()
    trained = load_model(model)
    assert trained.config.trained_with_diml
    assert trained.dim == 16
    header, *rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert len(rows) == 8
    assert "loss" in header
    assert json.loads((tmp_path / "run" / "config.json").read_text())["steps"] == 8
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_share_of_the_start_stays_in_what_is_saved(start, images, tmp_path):
    def weights(share):
        chosen = config(start, validation_share=0, ema=0.0, start_share=share)
        run = Training(chosen, images, tmp_path / f"run {share}", progress=False)
        begun = {n: p.detach().clone() for n, p in run.split.model.named_parameters()}
        return begun, dict(load_model(run.run()).named_parameters())

    begun, trained = weights(0.0)
    _, mixed = weights(0.25)
    moved = 0
    for name, value in mixed.items():
        expected = begun[name].lerp(trained[name], 0.75)
        moved += not torch.equal(begun[name], trained[name])
        # Both were rounded to float16 when they were saved, which is to half of its eps, or of its least step.
        bound = 2**-11 * (value.abs() + trained[name].abs()) + 2**-24
        assert ((value - expected).abs() <= bound + 1e-7 * value.abs()).all()
    assert moved


@pytest.mark.parametrize("loss", LOSSES)
def test_training_brings_classes_together(start, images, tmp_path, loss):
    # Proxies start at random and are only ever moved by their own rate.
    chosen = config(
        start, loss=loss, steps=40, validation_share=0, head_start="kept", loss_rate=0.02
    )
    run = Training(chosen, images, tmp_path / "run", progress=False)
    before = _separation(run)
    run.run()
    assert _separation(run) > before + 0.03


def _separation(run):
    """How often two images of a class are more alike than two of different ones (the area under ROC)."""
    rows = np.arange(len(run.train))
    states = run.activations.fetch(rows, np.zeros_like(rows), torch.device("cpu"))
    with torch.no_grad():
        packed, _ = run.learner(states)
        similarity = StructuralSimilarity(marginals="product", mass=0.5, rollout=True)(packed)
    same = torch.from_numpy(run.train.labels[:, None] == run.train.labels)
    other = same & ~torch.eye(len(same), dtype=torch.bool)
    return (similarity[other][:, None] > similarity[~same]).double().mean().item()


def test_known_objects_are_learned_beside_the_classes(start, images, tmp_path):
    masks = np.zeros((len(images), 64, 64), np.uint8)
    masks[:, 16:48, 16:48] = 255
    truth = SceneTruth(masks, np.tile(np.eye(3), (len(images), 1, 1)))
    chosen = config(
        start, steps=30, validation_share=0, correspondence=1.0, object_mass=1.0, trained_blocks=2
    )
    run = Training(chosen, images, tmp_path / "run", truth=truth, progress=False)
    run.run()
    for name in ("correspondence loss", "object mass loss"):
        values = [row[name] for row in run.history]
        assert np.mean(values[-5:]) < 0.9 * np.mean(values[:5]), name


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"loss": "nope"}, "There is no loss 'nope': choose one of multi-similarity, "),
        ({"loss_settings": {"nope": 1}}, "The loss 'multi-similarity' cannot be set like this"),
        ({"loss_settings": {"alpha": "x"}}, "The loss 'multi-similarity' cannot be set like this"),
        ({"loss_settings": {"distance": 3}}, "The loss 'multi-similarity' cannot be set like this"),
        ({"loss": "triplet", "loss_settings": {"margin": None}}, "The loss 'triplet' cannot be set like this"),
        ({"loss": "margin", "loss_settings": {"margin": [1]}}, "The loss 'margin' cannot be set like this"),
        ({"loss": "margin", "loss_settings": {"reducer": "x"}}, "The loss 'margin' cannot be set like this"),
    ],
)  # fmt: skip
def test_a_loss_that_cannot_be_is_one_sentence_before_any_work(
    start, images, tmp_path, monkeypatch, change, sentence
):
    monkeypatch.setattr(activations, "planned_views", None)  # whoever needs it now fails
    with pytest.raises(InputError) as caught:
        Training(config(start, **change), images, tmp_path / "run", progress=False)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()  # a corrected config would be refused there


def test_what_only_scenes_know_is_asked_of_scenes_only(start, images, tmp_path):
    for unknown in ({"correspondence": 0.5}, {"object_mass": 0.5}):
        with pytest.raises(InputError, match="known for scenes only"):
            Training(config(start, **unknown), images, tmp_path / "run", progress=False)


@pytest.mark.parametrize("loss", ["multi-similarity", "margin", "proxy-anchor"])
def test_an_interrupted_run_ends_like_an_uninterrupted_one(start, images, tmp_path, loss):
    chosen = config(start, loss=loss, steps=6, validate_every=3)
    straight = Training(chosen, images, tmp_path / "straight", progress=False)
    straight.run()
    Training(chosen, images, tmp_path / "cut", progress=False).run(until=2)
    resumed = Training(chosen, images, tmp_path / "cut", progress=False)
    assert resumed.step == 2
    resumed.run()
    for kind in (lambda run: run.learner, lambda run: run.average.module):
        for name, value in kind(straight).state_dict().items():
            assert torch.equal(kind(resumed).state_dict()[name], value), name
    assert [r["loss"] for r in resumed.history] == [r["loss"] for r in straight.history]


def test_views_are_computed_once(start, images, tmp_path, monkeypatch):
    Training(config(start), images, tmp_path / "run", progress=False).run(until=1)
    monkeypatch.setattr(activations, "planned_views", None)  # whoever needs it now fails
    threads = torch.get_num_threads()
    try:  # sums over weights depend on it, what is kept must not
        torch.set_num_threads(threads + 1)
        Training(config(start), images, tmp_path / "run", progress=False).run(until=2)
    finally:
        torch.set_num_threads(threads)


def test_a_run_folder_of_another_config_is_refused(start, images, tmp_path):
    Training(config(start, steps=1), images, tmp_path / "run", progress=False).run()
    with pytest.raises(InputError):
        Training(config(start, steps=2), images, tmp_path / "run", progress=False)


def test_a_state_that_nothing_can_go_on_from_is_one_sentence(start, images, tmp_path):
    chosen = config(start, loss="proxy-anchor", validation_share=0)
    Training(chosen, images, tmp_path / "run", progress=False).run(until=1)
    file = tmp_path / "run" / "state.pt"
    data, state = file.read_bytes(), torch.load(file)
    name = next(iter(state["weights"]))
    for damaged in (
        data[: len(data) // 2], b"", [1, 2], {}, {"step": 1}, state | {"weights": {}}, state | {"average": None},
        state | {"weights": state["weights"] | {name: torch.zeros(3, 5)}}, state | {"loss": {}},
        state | {"optimizer": {"state": {}, "param_groups": []}},
    ):  # fmt: skip
        if isinstance(damaged, bytes):
            file.write_bytes(damaged)
        else:
            torch.save(damaged, file)
        with pytest.raises(InputError, match=r"state.pt' is no state to go on from .* delete it"):
            Training(chosen, images, tmp_path / "run", progress=False)


def test_what_was_cut_short_while_it_was_written_is_written_again(start, images, tmp_path):
    chosen = config(start, steps=3, validate_every=1)
    Training(chosen, images, tmp_path / "run", progress=False).run(until=2)
    for name in ("config.json", "classes.json", "metrics.csv"):
        file = tmp_path / "run" / name
        file.write_bytes(file.read_bytes()[:-9])
    Training(chosen, images, tmp_path / "run", progress=False).run()
    assert json.loads((tmp_path / "run" / "config.json").read_text()) == chosen.to_dict()
    header, *rows = (tmp_path / "run" / "metrics.csv").read_text().splitlines()
    assert [len(row.split(",")) for row in rows] == 3 * [len(header.split(","))]
    classes = json.loads((tmp_path / "run" / "classes.json").read_text())
    assert sorted(classes["trained"] + classes["held_out"]) == list(images.classes)


def test_a_run_does_not_go_on_with_other_classes(start, images, tmp_path):
    """Others would be held out, and some of them have been trained on."""
    pairs = [(s.class_name, s.path) for s in images.samples]
    other = LabelledImages.from_pairs("folder", "train", pairs[IMAGES:])
    Training(config(start), other, tmp_path / "run", progress=False)  # nothing is learned yet
    Training(config(start), images, tmp_path / "run", progress=False).run(until=1)
    with pytest.raises(InputError, match="a run on other classes"):
        Training(config(start), other, tmp_path / "run", progress=False)
    fewer = LabelledImages.from_pairs("folder", "train", pairs[1:])
    assert Training(config(start), fewer, tmp_path / "run", progress=False).step == 1


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.98])
def test_the_average_forgets_the_start(decay):
    """``a <- d a + (1 - d) w`` with ``d`` the smaller of the decay and ``t / (9 + t)``, t counted from 1."""
    layer = torch.nn.Linear(1, 1, bias=False)
    average = averaged(layer, decay)
    expected = layer.weight.item()
    for step in range(500):
        with torch.no_grad():
            layer.weight.fill_(float(step % 7))
        average.update(layer, step)
        d = min(decay, (1 + step) / (10 + step))
        expected = d * expected + (1 - d) * (step % 7)
        assert average.module.weight.item() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("file", sorted((ROOT / "configs").glob("*.json")), ids=lambda f: f.stem)
def test_a_config_of_the_repository_is_understood(file):
    chosen = TrainConfig.read(file)
    assert chosen.loss is None or chosen.loss in LOSSES
    assert chosen.data in DATASETS
    start = ROOT / chosen.start.replace("backbones/", "checkpoints/")  # rebuilt under the same name
    earlier = re.fullmatch(
        r"runs/(.+)/model", chosen.start
    )  # of two stages: what another config trains
    if earlier:
        assert (ROOT / "configs" / f"{earlier[1]}.json").is_file()
    else:
        assert start.is_dir() or (SHIPPED / chosen.start).is_dir()
    ModelConfig.from_dict({"name": "any", "architecture": "any"} | chosen.model)


def test_batches_are_class_balanced_and_repeatable():
    labels = np.repeat(np.arange(10), 7)
    batch = balanced_batch(labels, 4, 3, seed=1, step=5)
    assert len(batch) == 12
    assert np.unique(labels[batch], return_counts=True)[1].tolist() == [3, 3, 3, 3]
    np.testing.assert_array_equal(batch, balanced_batch(labels, 4, 3, seed=1, step=5))
    assert not np.array_equal(batch, balanced_batch(labels, 4, 3, seed=1, step=6))


def test_validation_classes_are_not_trained_on():
    names = tuple(f"c{i}" for i in range(20))
    kept, held_out = split_classes(names, 0.15, seed=0)
    assert set(kept) | set(held_out) == set(names)
    assert not set(kept) & set(held_out)
    assert len(held_out) == 3


def _one_process(rank, processes, port, folder):
    """Loss and gradient of a linear model on this process's share of one global batch."""
    import torch.distributed as distributed

    from diml_core.learning.distance import StructuralSimilarity

    if processes > 1:
        distributed.init_process_group(
            "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=processes
        )
    torch.manual_seed(0)
    inputs, labels = torch.randn(8, 6, 5), torch.arange(8) % 2
    model = torch.nn.Linear(6, 4)
    share = 8 // processes
    own = inputs[share * rank : share * (rank + 1)]
    packed = gather(model(own.mT).mT)
    same = (labels[:, None] == labels).float()
    loss = ((StructuralSimilarity()(packed) - same) ** 2).mean()
    loss.backward()
    gradient = model.weight.grad
    if processes > 1:  # what data-parallel training does
        distributed.all_reduce(gradient)
        gradient /= processes
        distributed.destroy_process_group()
    torch.save((loss.detach(), gradient), f"{folder}/{processes}-{rank}.pt")


def test_two_processes_have_the_loss_and_gradients_of_one(tmp_path):
    port = _free_port()
    _one_process(0, 1, port, tmp_path)
    torch.multiprocessing.spawn(_one_process, (2, port, tmp_path), nprocs=2)
    loss, gradient = torch.load(tmp_path / "1-0.pt")
    for rank in (0, 1):
        shared_loss, shared_gradient = torch.load(tmp_path / f"2-{rank}.pt")
        torch.testing.assert_close(shared_loss, loss)
        torch.testing.assert_close(shared_gradient, gradient, atol=1e-6, rtol=1e-4)


def test_accelerate_launch_trains_what_one_process_trains(start, images, tmp_path):
    for sample in images.samples:
        folder = tmp_path / "photos" / sample.class_name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(sample.path, folder)
    chosen = config(
        start, steps=4, validate_every=2, images_per_class=4, frozen_precision="float32"
    )
    file = tmp_path / "config.json"
    file.write_text(json.dumps(chosen.to_dict()))
    launch = [
        *(
            "-m",
            "accelerate.commands.launch",
            "--cpu",
            "--num_processes",
            "2",
            "--num_machines",
            "1",
        ),
        *("--mixed_precision", "no", "--dynamo_backend", "no"),
        *("--main_process_port", str(_free_port())),
    ]
    losses = {}
    for name, launcher in (("one", []), ("two", launch)):
        command = [sys.executable, *launcher, "-m", "diml_core", "train", str(file)]
        command += ["--root", str(tmp_path / "photos"), "--run", str(tmp_path / name)]
        found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600)
        assert found.returncode == 0, found.stderr
        rows = (tmp_path / name / "metrics.csv").read_text().splitlines()[1:]
        losses[name] = [float(row.split(",")[1]) for row in rows]
        assert "held-out MAP@R" in found.stdout
    assert len(losses["one"]) == 4
    assert losses["two"] == pytest.approx(losses["one"], rel=1e-3)
    ours, theirs = (load_model(tmp_path / name / "model").state_dict() for name in losses)
    for name, value in ours.items():
        torch.testing.assert_close(theirs[name], value, atol=2e-3, rtol=1e-2)


def _one_rank(rank, port, chosen, images, folder):
    """A run whose processes measure different things; on its own the second would stop a step earlier."""
    os.environ |= {
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    measured = iter([[10.0, 20.0, 20.0], [30.0, 20.0, 10.0]][rank])
    training.validate = lambda *_: {CHOSEN_BY: next(measured)}
    accelerator = accelerator_on("cpu")
    assert accelerator.num_processes == 2
    run = Training(chosen, images, folder / "run", accelerator=accelerator, progress=False)
    run.run()
    (folder / f"steps of {rank}").write_text(str(run.step))


def test_all_processes_stop_at_the_same_step(start, images, tmp_path):
    chosen = config(start, validate_every=1, patience=1)
    arguments = (_free_port(), chosen, images, tmp_path)
    ranks = torch.multiprocessing.spawn(_one_rank, arguments, nprocs=2, join=False)
    end = time.monotonic() + 300
    while not ranks.join(timeout=5):
        if time.monotonic() > end:
            for process in ranks.processes:
                process.kill()
            pytest.fail("The processes wait for each other.")
    assert [(tmp_path / f"steps of {rank}").read_text() for rank in (0, 1)] == ["3", "3"]


def test_held_out_classes_of_one_image(start, images, tmp_path):
    """Metrics leave out the images that nothing can find; where that is all of them, it is said at once."""
    kept, held_out = split_classes(images.classes, 0.25, 0)
    pairs = [(s.class_name, s.path) for s in images.samples]
    one = [
        next(p for p in pairs if p[0] == held_out[0]),
        *(p for p in pairs if p[0] != held_out[0]),
    ]
    some = LabelledImages.from_pairs("folder", "train", one)
    run = Training(config(start), some, tmp_path / "some", progress=False)
    assert run.run() is not None
    assert run.best > 0
    all_of_them = [next(p for p in pairs if p[0] == name) for name in held_out]
    all_of_them += [p for p in pairs if p[0] in kept]
    none = LabelledImages.from_pairs("folder", "train", all_of_them)
    with pytest.raises(InputError, match="held out to validate have one image each"):
        Training(config(start), none, tmp_path / "none", progress=False)


class _Processes:
    is_main_process = True

    def __init__(self, count):
        self.num_processes = count


def test_a_batch_of_what_is_left_to_train_on_must_fit_the_processes(start, images, tmp_path):
    """Of 8 classes 2 are held out: 8 x 3 images go on 4 processes, the 6 x 3 of every step do not."""
    chosen = config(start, classes_per_batch=8)
    with pytest.raises(InputError, match="A batch of 18 images cannot be shared out to 4"):
        Training(chosen, images, tmp_path / "run", accelerator=_Processes(4), progress=False)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_photographs_set_apart_have_their_share_of_a_batch():
    labels = np.repeat(np.arange(20), 3)
    apart = labels >= 5  # three quarters of the classes
    for share, expected in ((0.5, 2), (0.25, 1), (0.0, 0), (1.0, 4)):
        for step in range(5):
            batch = balanced_batch(labels, 4, 3, 0, step, set_apart=apart, share=share)
            assert apart[batch].sum() == 3 * expected
            assert len(batch) == 12


def test_without_a_metric_loss_what_the_start_found_alike_is_kept(start, images, tmp_path):
    chosen = config(start, loss=None, preserve=50.0, validation_share=0, steps=30, head_rate=3e-2)
    run = Training(chosen, images, tmp_path / "run", progress=False)
    with torch.no_grad():
        run.split.model.head.weight.add_(0.3 * torch.randn(run.split.model.head.weight.shape))
    rows = np.arange(len(run.train))
    zeros = np.zeros_like(rows)

    def off():
        states = run.activations.fetch(rows, zeros, torch.device("cpu"))
        with torch.no_grad():
            pooled = run.learner(states)[0][:, :16, -1]
        known = torch.from_numpy(run.teacher[:, 0]).float()
        return preservation_loss(pooled, known).item()

    before = off()
    assert run.run() is not None
    assert off() < before / 2
    assert "preservation loss" in (tmp_path / "run" / "metrics.csv").read_text().splitlines()[0]


def test_teachers_are_asked_once_for_the_views_that_are_trained_on(start, images, tmp_path):
    chosen = config(
        start, loss=None, preserve=1.0, teachers=[start, start], validation_share=0, steps=1
    )
    run = Training(chosen, images, tmp_path / "run", progress=False)
    assert run.teacher.shape[:3] == (len(images), chosen.views, 2)
    norms = np.linalg.norm(run.teacher.astype(np.float64), axis=-1)
    np.testing.assert_allclose(norms, 1, atol=2e-3)  # float16
    kept = tmp_path / "run" / "activations" / "teachers.npy"
    made = kept.stat().st_mtime_ns
    Training(chosen, images, tmp_path / "run", progress=False)
    assert kept.stat().st_mtime_ns == made


def test_nothing_to_learn_is_refused(start):
    with pytest.raises(InputError, match="nothing to learn"):
        config(start, loss=None)
