"""Schedules of the learning rate: curves recorded from PyTorch, saving, warnings, errors."""

import copy
import json
import warnings
from pathlib import Path

import pytest

from .conftest import torch
from .golden.optim_cases import EPOCHS, METRICS, SCHEDULES, _Names, plain, run_schedule, step, two_groups

GOLDEN = json.loads((Path(__file__).parent / "golden" / "optim.json").read_text())
S = _Names(torch)


@pytest.mark.parametrize("name", SCHEDULES)
def test_curve_and_state_are_pytorchs(name):
    golden = GOLDEN[f"schedule {name}"]
    found = run_schedule(torch, name)
    assert found["curve"] == [pytest.approx(row, rel=1e-12) for row in golden["curve"]]
    assert found["last"] == pytest.approx(golden["last"], rel=1e-12)
    assert list(found["state"]) == list(golden["state"])
    again = json.loads(json.dumps(found["state"]))
    assert _rounded(again) == _rounded(golden["state"])


def _rounded(x):
    if isinstance(x, dict):
        return {k: _rounded(v) for k, v in x.items()}
    if isinstance(x, list):
        return [_rounded(v) for v in x]
    return float(f"{x:.11g}") if isinstance(x, float) else x


@pytest.mark.parametrize("name", SCHEDULES)
def test_goes_on_from_its_state(name):
    golden = GOLDEN[f"schedule {name}"]["curve"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        first = two_groups(torch)
        schedule = SCHEDULES[name](S, first)
        for i in range(10):
            step(schedule, i)
        optimizer = two_groups(torch)
        other = SCHEDULES[name](S, optimizer)
        other.load_state_dict(copy.deepcopy(schedule.state_dict()))
        optimizer.load_state_dict(first.state_dict())
        for i in range(10, EPOCHS):
            rates = [x for g in optimizer.param_groups for x in (g["lr"], g["momentum"])]
            assert rates == pytest.approx(golden[i], rel=1e-12)
            step(other, i)


@pytest.mark.parametrize("name", ["StepLR", "CosineAnnealingLR", "OneCycleLR", "CyclicLR", "ReduceLROnPlateau"])
def test_a_tensor_keeps_its_identity(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optimizer = two_groups(torch, tensor=True)
        lr = optimizer.param_groups[0]["lr"]
        schedule = SCHEDULES[name](S, optimizer)
        seen = []
        for i in range(12):
            step(schedule, i)
            seen.append(lr.item())
    assert optimizer.param_groups[0]["lr"] is lr and len(set(seen)) > 1
    assert schedule.get_last_lr()[0] is not lr and plain(schedule.get_last_lr())[0] == lr.item()


def test_epoch_in_closed_form():
    for name in ("StepLR", "MultiStepLR", "ExponentialLR", "LinearLR, 12", "PolynomialLR, 11", "CosineAnnealingLR"):
        optimizer = two_groups(torch)
        schedule = SCHEDULES[name](S, optimizer)
        optimizer.step()
        with pytest.warns(UserWarning, match="The epoch parameter in `scheduler.step"):
            schedule.step(6)
        golden = GOLDEN[f"schedule {name}"]["curve"][6]
        assert schedule.get_last_lr() == pytest.approx(golden[::2], rel=1e-9), name


def test_warm_restarts_at_parts_of_epochs():
    optimizer = two_groups(torch)
    schedule = S.CosineAnnealingWarmRestarts(optimizer, 3, 2)
    rates = []
    for at in (0.5, 1.5, 3.0, 4.5, 8.99, 9.0, 20.0):
        schedule.step(at)
        rates.append(round(schedule.get_last_lr()[0], 6))
    assert rates == [0.186603, 0.1, 0.2, 0.170711, 1e-06, 0.2, 0.003407]
    with pytest.raises(ValueError, match="non-negative epoch"):
        schedule.step(-1)


def test_order_of_steps():
    optimizer = two_groups(torch)
    schedule = S.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match=r"Detected call of `lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        schedule.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizer = two_groups(torch)
        schedule = S.StepLR(optimizer, 2)
        for _ in range(3):
            optimizer.step()
            schedule.step()


def test_a_replaced_step_is_noticed():
    optimizer = two_groups(torch)
    schedule = S.StepLR(optimizer, 2)
    optimizer.step = lambda: None
    optimizer.step()
    with pytest.warns(UserWarning, match="has been overridden after learning rate scheduler initialization"):
        schedule.step()


def test_get_lr_is_for_step():
    schedule = S.StepLR(two_groups(torch), 2)
    with pytest.warns(UserWarning, match="please use `get_last_lr"):
        schedule.get_lr()


def test_resuming():
    with pytest.raises(KeyError, match="param 'initial_lr' is not specified in param_groups"):
        S.StepLR(two_groups(torch), 2, last_epoch=3)
    optimizer = two_groups(torch)
    for group in optimizer.param_groups:
        group["initial_lr"] = 1.0
    schedule = S.CosineAnnealingLR(optimizer, 10, last_epoch=4)
    assert schedule.last_epoch == 5 and optimizer.param_groups[0]["initial_lr"] == 1.0


def test_a_schedule_of_ones_own():
    class Halving(torch.optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            return [lr * 0.5**self.last_epoch for lr in self.base_lrs]

    optimizer = two_groups(torch)
    schedule = Halving(optimizer)
    optimizer.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.1, 0.2]
    assert isinstance(schedule, torch.optim.lr_scheduler.LRScheduler)


def test_objects_as_lambdas_are_saved():
    class Factor:
        def __init__(self, base):
            self.base = base

        def __call__(self, epoch):
            return self.base**epoch

    schedule = S.LambdaLR(two_groups(torch), [Factor(0.5), Factor(0.25)])
    saved = schedule.state_dict()
    assert saved["lr_lambdas"] == [{"base": 0.5}, {"base": 0.25}] and "optimizer" not in saved
    other = S.LambdaLR(two_groups(torch), [Factor(1.0), Factor(1.0)])
    other.load_state_dict(saved)
    assert [f.base for f in other.lr_lambdas] == [0.5, 0.25]
    assert S.LambdaLR(two_groups(torch), lambda epoch: 1.0).state_dict()["lr_lambdas"] == [None, None]


def test_new_groups_on_a_plateau():
    optimizer = two_groups(torch)
    schedule = S.ReduceLROnPlateau(optimizer, patience=0)
    optimizer.add_param_group({"params": torch.zeros(1, requires_grad=True), "lr": 1.0})
    for m in METRICS[:3]:
        schedule.step(torch.tensor(float(m)))
    assert optimizer.param_groups[2]["lr"] == pytest.approx(0.1)
    listed = S.ReduceLROnPlateau(optimizer, patience=0, min_lr=[0.0, 0.0, 0.0])
    optimizer.add_param_group({"params": torch.zeros(1, requires_grad=True)})
    listed.step(1.0)
    with pytest.raises(RuntimeError, match="The number of param groups in the `optimizer`"):
        listed.step(2.0)


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda o: S.StepLR(1, 2), TypeError, "int is not an Optimizer"),
        (lambda o: S.LambdaLR(o, [abs]), ValueError, "Expected 2 lr_lambdas, but got 1"),
        (lambda o: S.MultiplicativeLR(o, 0.5), TypeError, "lr_lambda should be a function, but got float"),
        (lambda o: S.ConstantLR(o, 2.0), ValueError, "between 0 and 1"),
        (lambda o: S.LinearLR(o, 0.0), ValueError, "greater than 0 and less or equal to 1"),
        (lambda o: S.LinearLR(o, end_factor=2.0), ValueError, "between 0 and 1"),
        (lambda o: S.CosineAnnealingWarmRestarts(o, 0), ValueError, "positive integer T_0"),
        (lambda o: S.CosineAnnealingWarmRestarts(o, 2, 0), ValueError, "integer T_mult >= 1"),
        (lambda o: S.CyclicLR(o, [0.1], 1.0), ValueError, "base_lr must have the same length"),
        (lambda o: S.CyclicLR(o, 0.1, 1.0, mode="up"), ValueError, "mode is invalid"),
        (lambda o: S.OneCycleLR(o, 1.0), ValueError, "either total_steps OR"),
        (lambda o: S.OneCycleLR(o, 1.0, 0), ValueError, "positive integer total_steps"),
        (lambda o: S.OneCycleLR(o, 1.0, 10, pct_start=2), ValueError, "pct_start"),
        (lambda o: S.OneCycleLR(o, 1.0, 10, anneal_strategy="x"), ValueError, "anneal_strategy"),
        (lambda o: S.ReduceLROnPlateau(o, factor=1.0), ValueError, "Factor should be < 1.0"),
        (lambda o: S.ReduceLROnPlateau(o, "least"), ValueError, "mode least is unknown"),
        (lambda o: S.ReduceLROnPlateau(o, min_lr=[1]), ValueError, "expected 2 min_lrs, got 1"),
        (lambda o: S.SequentialLR(o, [], []), ValueError, "at least one scheduler"),
        (lambda o: S.SequentialLR(o, [S.StepLR(o, 1)], [1]), ValueError, "number of milestones"),
        (lambda o: S.ChainedScheduler([]), ValueError, "at least one scheduler to be chained"),
        (lambda o: S.ChainedScheduler([S.ReduceLROnPlateau(o)]), ValueError, "does not support `ReduceLROnPlateau`"),
        (
            lambda o: S.ChainedScheduler([S.StepLR(o, 1), S.StepLR(two_groups(torch), 1)]),
            ValueError,
            "expects all schedulers to belong to the same optimizer",
        ),
        (lambda o: S._swa.SWALR(o, 0.1, -1), ValueError, "anneal_epochs must be equal or greater than 0"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(two_groups(torch))


def test_cycles_need_momentum():
    optimizer = torch.optim.Adagrad([torch.zeros(1, requires_grad=True)])
    with pytest.raises(ValueError, match="must support momentum or beta1"):
        S.OneCycleLR(optimizer, 0.1, 10)
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)])
    S.OneCycleLR(adam, 0.1, 10)
    assert adam.param_groups[0]["betas"] == (0.95, 0.999)


def test_beyond_the_end_of_the_cycle():
    optimizer = two_groups(torch)
    schedule = S.OneCycleLR(optimizer, 0.1, 2)
    with pytest.raises(ValueError, match="Tried to step 3 times"):
        for _ in range(3):
            optimizer.step()
            schedule.step()
