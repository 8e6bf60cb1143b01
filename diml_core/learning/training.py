"""Training: steps over class-balanced batches of cached views, in one process or several."""

from __future__ import annotations

import functools
import time
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from tqdm import tqdm

from diml_core.data import LabelledImages
from diml_core.data.scenes import SceneTruth, is_photograph
from diml_core.errors import InputError
from diml_core.learning.activations import Activations, ViewPlan, compute_activations
from diml_core.learning.config import TrainConfig
from diml_core.learning.correspondence import neighbours_in_class
from diml_core.learning.gather import gather
from diml_core.learning.known_views import KnownViews
from diml_core.learning.learner import Learner, averaged, optimizer_for, rate_factor
from diml_core.learning.losses import objective
from diml_core.learning.preservation import (
    own_embeddings,
    preservation_loss,
    region_embeddings,
    teacher_embeddings,
)
from diml_core.learning.processes import accelerator_on
from diml_core.learning.run_folder import RunFolder
from diml_core.learning.sampler import balanced_batch, split_classes
from diml_core.learning.split_network import SplitNetwork
from diml_core.learning.start import start_head, starting_model
from diml_core.learning.validation import CHOSEN_BY, validate
from diml_core.network.checkpoints import load_model

_STATE_EVERY = 120.0  # seconds between two states to go on from


class Training:
    """One run. :meth:`run` goes from wherever the run folder left off to the end.

    Every random choice is a function of the seed and the step, so that a run that was interrupted
    ends with the weights of one that was not.
    """

    def __init__(
        self,
        config: TrainConfig,
        images: LabelledImages,
        folder: Path,
        *,
        truth: SceneTruth | None = None,
        accelerator: Accelerator | None = None,
        progress: bool = True,
    ) -> None:
        """Build everything and compute the activations of the frozen part.

        Args:
            config: the run.
            images: the training split; validation classes are taken out of it.
            folder: run folder, new or of the same config.
            truth: of scenes, in the order of ``images``; needed for losses on correspondences and on object mass.
            accelerator: how processes and devices are used, see :func:`.accelerator_on`; None for the
                environment's choice.
            progress: whether to show bars.

        Raises:
            InputError: a config that does not fit the model, the data or the number of processes.
        """
        self.config = config
        self.accelerator = accelerator or accelerator_on("auto")
        self.main = self.accelerator.is_main_process
        self.progress = progress and self.main
        kept, held_out = split_classes(images.classes, config.validation_share, config.seed)
        chosen = np.array([s.class_name in set(kept) for s in images.samples])
        self._check(images.labels, chosen, truth)
        torch.manual_seed(config.seed)
        model = starting_model(config.start, config.model).to(self.accelerator.device)
        options = model.options(grid=config.grid)
        self.split = SplitNetwork(model, config.trained_blocks, options, depthwise=config.depthwise)
        self.train = images.subset_by_classes(kept)
        self.loss = nn.Module()  # without parameters and without a value
        if config.loss is not None:
            self.loss = objective(
                config.loss, len(self.train.classes), model.dim, options, config.loss_settings
            ).to(self.accelerator.device)
        # What is wrong with the config has been said by now: it would be hard to correct once it lies there.
        if self.main:
            RunFolder(folder, config, kept, held_out)
        self.accelerator.wait_for_everyone()
        self.folder = RunFolder(folder, config, kept, held_out)
        self.held_out: LabelledImages | None = None
        self.photographs = np.array([is_photograph(s) for s in self.train.samples])
        plan = ViewPlan(
            config.views,
            config.least_crop,
            config.colour_jitter,
            config.seed,
            config.frozen_precision,
        )
        self.activations = self._activations(self.train, plan, "train")
        self.scenes: KnownViews | None = None
        if config.needs_truth and truth is not None:  # else _check would have refused
            own = SceneTruth(truth.masks[chosen], truth.warps[chosen])
            self.scenes = KnownViews(own, self.activations.warps, self.photographs)
        if held_out:
            whole = ViewPlan(0, precision=config.frozen_precision)
            self.held_out = images.subset_by_classes(held_out)
            self.held_out_activations = self._activations(self.held_out, whole, "held-out")

        self.learner = Learner(self.split, config.precision)
        start_head(self.split, self.activations, config)
        self.teacher, self.own_regions = self._preserved(plan)
        self.optimizer = optimizer_for(self.split, self.loss, config)
        self.average = averaged(self.learner, config.ema)
        self.start = {n: p.clone() for n, p in _trained(self.learner).items()}
        self.step, self.best, self.waited = 0, -1.0, 0
        self.history: list[dict[str, float]] = []
        self._resume()
        self.wrapped = self.accelerator.prepare_model(self.learner)

    def run(self, until: int | None = None) -> Path | None:
        """Train to the end, or stop after step ``until`` as if interrupted.

        Returns:
            The folder of the trained model; None where there is none yet.
        """
        config = self.config
        saved = time.monotonic()
        end = config.steps if until is None else min(until, config.steps)
        with tqdm(
            initial=self.step, total=config.steps, desc="steps", disable=not self.progress
        ) as bar:
            while self.step < end and self.waited < config.patience:
                row = self.train_step()
                due = self.step % config.validate_every == 0 or self.step == config.steps
                if due and self.held_out is not None:
                    row |= self._validated()
                self.history.append(row)
                bar.set_postfix({n: f"{v:.3g}" for n, v in row.items() if n != "step"})
                bar.update()
                if due or time.monotonic() - saved > _STATE_EVERY:
                    self.save()
                    saved = time.monotonic()
        if self.main and self.held_out is None and self.step == config.steps:
            self.folder.save_model(self._finished().split.model)
        self.save()
        self.accelerator.wait_for_everyone()
        model = self.folder.path / "model"
        return model if model.is_dir() else None

    def train_step(self) -> dict[str, float]:
        """One step; returns its losses."""
        for group in self.optimizer.param_groups:
            factor = rate_factor(self.step, self.config.steps, self.config.warmup)
            group["lr"] = group["peak"] * factor
        self.optimizer.zero_grad(set_to_none=True)
        losses = self.losses()
        self.accelerator.backward(sum(losses.values()))
        trained = [p for group in self.optimizer.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(trained, self.config.clip)
        self.optimizer.step()
        self.average.update(self.learner, self.step)
        self.step += 1
        return {"step": self.step} | {name: value.item() for name, value in losses.items()}

    def losses(self) -> dict[str, Tensor]:
        """The weighted losses of this step's batch, over all processes."""
        config = self.config
        batch = balanced_batch(
            self.train.labels, config.classes_per_batch, config.images_per_class,
            config.seed, self.step, set_apart=self.photographs, share=config.photograph_share,
        )  # fmt: skip
        random = np.random.default_rng([config.seed, 5, self.step])
        views = random.integers(self.activations.states.shape[1], size=len(batch))
        share = len(batch) // self.accelerator.num_processes
        own = slice(
            share * self.accelerator.process_index, share * (self.accelerator.process_index + 1)
        )
        device = self.accelerator.device
        packed, cells = self.wrapped(self.activations.fetch(batch[own], views[own], device))
        packed = gather(packed)
        losses = {}
        if config.loss is not None:
            labels = torch.from_numpy(self.train.labels[batch]).to(device)
            # Miners draw at random: the same in every process, and again after an interruption.
            with torch.random.fork_rng():
                torch.manual_seed(config.seed * 1_000_003 + self.step)
                losses["loss"] = self.loss(packed, labels)
        if self.teacher is not None:
            known = torch.from_numpy(self.teacher[batch, views]).to(device).float()
            pooled = packed[:, : self.split.model.dim, -1]
            losses["preservation loss"] = config.preserve * preservation_loss(pooled, known)
        if self.own_regions is not None:
            known = (
                torch.from_numpy(self.own_regions[batch, views]).to(device).float().flatten(0, 1)
            )
            regions = region_embeddings(packed, self.split.model.dim).flatten(0, 1)
            counted = self.scenes.quarters(batch, views).to(device) if self.scenes else None
            losses["region loss"] = config.preserve_regions * preservation_loss(
                regions, known[:, None], counted
            )
        pairs = neighbours_in_class(len(batch) // config.images_per_class, config.images_per_class)
        if config.correspondence and self.scenes:
            side = self.split.model.backbone.map_side
            losses["correspondence loss"] = config.correspondence * self.scenes.correspondence_loss(
                gather(cells), side, pairs, batch, views
            )
        if config.object_mass and self.scenes:
            losses["object mass loss"] = config.object_mass * self.scenes.object_mass_loss(
                packed, self.split.options, pairs, batch, views
            )
        return losses

    def _validated(self) -> dict[str, float]:
        metrics: list[dict[str, float] | None] = [None]
        if self.main:
            finished = self._finished()
            labels = cast(LabelledImages, self.held_out).labels
            metrics = [validate(finished, self.held_out_activations, labels)]
        # One process measures for all, or rounding would let them stop at different steps.
        found = broadcast_object_list(metrics)[0]
        self.waited += 1
        if found[CHOSEN_BY] > self.best:
            self.best, self.waited = found[CHOSEN_BY], 0
            if self.main:
                self.folder.save_model(finished.split.model)
        return found

    def _finished(self) -> Learner:
        """What is validated and saved: weights averaged over the steps, and with those of the start."""
        share = self.config.start_share
        if not share:
            return self.average.module
        finished = deepcopy(self.average.module)
        for name, parameter in _trained(finished).items():
            parameter.lerp_(self.start[name], share)
        return finished

    def save(self) -> None:
        """Write the state to go on from, and the metrics so far."""
        if self.main:
            self.folder.save_state(
                {
                    "step": self.step,
                    "best": self.best,
                    "waited": self.waited,
                    "history": self.history,
                    "weights": _trained(self.learner),
                    "average": _trained(self.average.module),
                    "loss": self.loss.state_dict(),
                    "optimizer": self.optimizer.state_dict(),
                }
            )
            self.folder.save_metrics(self.history)

    def _resume(self) -> None:
        state: dict[str, Any] | None = self.folder.load_state()
        if state is None:
            return
        try:
            for name in ("step", "best", "waited", "history"):
                setattr(self, name, state[name])
            for name, learner in (("weights", self.learner), ("average", self.average.module)):
                if state[name].keys() != _trained(learner).keys():
                    raise KeyError(name)
                learner.load_state_dict(state[name], strict=False)
            self.loss.load_state_dict(state["loss"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (KeyError, TypeError, AttributeError, ValueError, RuntimeError) as error:
            raise self.folder.damaged_state(error) from error

    def _activations(self, images: LabelledImages, plan: ViewPlan, name: str) -> Activations:
        return compute_activations(
            self.split, images, plan, self.folder.cache / name,
            rank=self.accelerator.process_index, processes=self.accelerator.num_processes,
            barrier=self.accelerator.wait_for_everyone, progress=self.progress,
        )  # fmt: skip

    def _preserved(self, plan: ViewPlan) -> tuple[np.ndarray | None, np.ndarray | None]:
        """``[N, V, T, E]`` global embeddings and ``[N, V, 4, D]`` regions that are to be preserved."""
        config = self.config
        teacher = regions = None
        if config.preserve_regions or (config.preserve and not config.teachers):
            # Of the weights that training starts from, also where it goes on: a state is loaded later.
            coverage = None
            if config.preserve_objects and self.scenes is not None:
                side = self.split.model.backbone.map_side
                coverage = functools.partial(self.scenes.coverage, side=side)
            teacher, regions = own_embeddings(
                self.learner, self.activations, coverage, self.progress
            )
        if config.preserve and config.teachers:
            teacher = self._taught(plan)
        return (
            teacher if config.preserve else None,
            regions if config.preserve_regions else None,
        )

    def _taught(self, plan: ViewPlan) -> np.ndarray:
        file = self.folder.cache / "teachers.npy"
        device = self.accelerator.device
        if self.main:
            models = [load_model(name) for name in self.config.teachers]
            teacher_embeddings(models, self.train, plan, file, device, self.progress)
        self.accelerator.wait_for_everyone()
        return np.load(file)

    def _check(self, labels: np.ndarray, kept: np.ndarray, truth: SceneTruth | None) -> None:
        config, processes = self.config, self.accelerator.num_processes
        classes = min(config.classes_per_batch, len(np.unique(labels[kept])))
        batch = classes * config.images_per_class
        if batch % processes:
            raise InputError(
                f"A batch of {batch} images cannot be shared out to {processes} processes: change "
                "classes_per_batch."
            )
        held_out = labels[~kept]
        if len(held_out) and len(np.unique(held_out)) == len(held_out):
            raise InputError(
                "The classes that are held out to validate have one image each, so nothing can be retrieved: "
                "set validation_share to 0, or give classes of two images or more."
            )
        if config.needs_truth and truth is None:
            raise InputError(
                "Correspondences and objects are known for scenes only, not for "
                f"'{config.data}': set correspondence and object_mass to 0."
            )


def _trained(learner: Learner) -> dict[str, Tensor]:
    return {n: p.detach() for n, p in learner.named_parameters() if p.requires_grad}


def with_overrides(config: TrainConfig, **changes: Any) -> TrainConfig:
    """A config with those changes that are not None."""
    return replace(config, **{k: v for k, v in changes.items() if v is not None})
