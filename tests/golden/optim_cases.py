"""Optimizers and schedules whose runs are recorded: what is run, the same for PyTorch and rushlight."""

import math
import warnings

STEPS = 20
OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True}),
    *[
        (name, kwargs)
        for name in ("Adam", "AdamW")
        for kwargs in (
            {},
            {"lr": 0.1, "weight_decay": 0.3},
            {"lr": 0.1, "betas": [0.5, 0.7], "amsgrad": True},
            {"lr": 0.1, "eps": 0.01, "maximize": True},
        )
    ],
    ("Adam", {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": [0.5, 0.7], "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "momentum_decay": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": [0.5, 0.7], "weight_decay": 0.1, "maximize": True}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.1, "initial_accumulator_value": 0.2, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 2.0, "rho": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "weight_decay": 0.1}),
    ("RMSprop", {"centered": True, "alpha": 0.5, "maximize": True}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": [0.3, 1.5], "step_sizes": [0.01, 0.2], "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "t0": 5, "lambd": 0.1, "alpha": 0.5, "weight_decay": 0.1}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.1, "eps": [1e-3, 1e-2], "d": 1.5, "weight_decay": 0.1, "maximize": True}),
    ("Muon", {}),
    ("Muon", {"lr": 0.1, "nesterov": False, "adjust_lr_fn": "match_rms_adamw"}),
]
WITHOUT_COMPLEX = ("Adafactor", "Muon")
SHAPES = ((2, 3), (5,), ())


def value(torch, shape, seed, dtype):
    """Numbers without a generator, in both signs and of several sizes."""
    flat = [math.sin(seed + 1.7 * i) * (1 + i % 3) for i in range(math.prod(shape))]
    if dtype.startswith("complex"):
        flat = [complex(x, math.cos(seed + i)) for i, x in enumerate(flat)]
    return torch.tensor(flat, dtype=getattr(torch, dtype)).reshape(shape)


def set_grads(torch, params, step, dtype):
    for i, p in enumerate(params):
        p.grad = value(torch, tuple(p.shape), 3.1 * step + i, dtype)


def make(torch, name, kwargs, dtype):
    shapes = ((2, 3), (3, 2)) if name == "Muon" else SHAPES
    params = [value(torch, shape, 10 + i, dtype).requires_grad_() for i, shape in enumerate(shapes)]
    kwargs = {k: tuple(v) if isinstance(v, list) else v for k, v in kwargs.items()}
    return params, getattr(torch.optim, name)(params, **kwargs)


def run_optimizer(torch, name, kwargs, dtype):
    """The parameters and the state after STEPS steps."""
    params, optimizer = make(torch, name, kwargs, dtype)
    for step in range(STEPS):
        set_grads(torch, params, step, dtype)
        optimizer.step()
    return [p.detach() for p in params], optimizer.state_dict()


def minimize_rosenbrock(torch, kwargs, dtype):
    """Losses of three steps of LBFGS, where it ends, and how often it asked."""
    x = torch.tensor([-1.2, 1.0], dtype=getattr(torch, dtype), requires_grad=True)
    optimizer = torch.optim.LBFGS([x], **kwargs)

    def closure():
        optimizer.zero_grad()
        loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
        loss.backward()
        return loss

    losses = [optimizer.step(closure).item() for _ in range(3)]
    return [*losses, *x.tolist(), optimizer.state_dict()["state"][0]["func_evals"]]


LBFGS = [
    {"lr": 1e-3},
    {"line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 2, "max_iter": 6},
    {"lr": 1e-3, "max_iter": 4, "tolerance_change": 1e-2},
]


def _schedule(name, *args, **kwargs):
    return lambda s, o: getattr(s, name)(o, *args, **kwargs)


SCHEDULES = {
    "LambdaLR": _schedule("LambdaLR", lambda epoch: 0.95**epoch),
    "LambdaLR, two": _schedule("LambdaLR", [lambda epoch: 0.95**epoch, lambda epoch: 1 / (epoch + 1)]),
    "MultiplicativeLR": _schedule("MultiplicativeLR", lambda epoch: 0.9 if epoch % 2 else 1.05),
    "StepLR": _schedule("StepLR", 3, 0.5),
    "MultiStepLR": _schedule("MultiStepLR", [2, 5, 5, 9], 0.3),
    "ConstantLR": _schedule("ConstantLR"),
    "ConstantLR, 3": _schedule("ConstantLR", 0.25, 3),
    "LinearLR": _schedule("LinearLR"),
    "LinearLR, 12": _schedule("LinearLR", 0.1, 0.7, 12),
    "ExponentialLR": _schedule("ExponentialLR", 0.9),
    "PolynomialLR": _schedule("PolynomialLR"),
    "PolynomialLR, 11": _schedule("PolynomialLR", 11, 2.0),
    "CosineAnnealingLR": _schedule("CosineAnnealingLR", 7),
    "CosineAnnealingLR, eta_min": _schedule("CosineAnnealingLR", 10, 0.01),
    "CosineAnnealingWarmRestarts": _schedule("CosineAnnealingWarmRestarts", 4),
    "CosineAnnealingWarmRestarts, T_mult": _schedule("CosineAnnealingWarmRestarts", 3, 2, 0.01),
    "CyclicLR": _schedule("CyclicLR", 0.01, 0.1, 5),
    "CyclicLR, triangular2": _schedule("CyclicLR", 0.01, 0.1, 4, 6, "triangular2"),
    "CyclicLR, exp_range": _schedule("CyclicLR", 0.01, 0.1, 4, mode="exp_range", gamma=0.9, cycle_momentum=False),
    "CyclicLR, scale_fn": _schedule("CyclicLR", 0.01, [0.1, 0.2], 4, scale_fn=lambda x: 1 / x),
    "OneCycleLR": _schedule("OneCycleLR", 0.1, 26),
    "OneCycleLR, linear": _schedule("OneCycleLR", 0.1, epochs=6, steps_per_epoch=5, anneal_strategy="linear"),
    "OneCycleLR, three": _schedule("OneCycleLR", [0.1, 0.3], 26, three_phase=True, cycle_momentum=False),
    "SequentialLR": lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.1, 1.0, 4), s.CosineAnnealingLR(o, 10)], [4]),
    "SequentialLR, three": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9), s.StepLR(o, 2)], [3, 8]
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9)]),
    "ReduceLROnPlateau": _schedule("ReduceLROnPlateau", patience=2),
    "ReduceLROnPlateau, max": _schedule(
        "ReduceLROnPlateau", "max", 0.5, 1, cooldown=2, min_lr=[0.01, 0.02], threshold_mode="abs"
    ),
    "SWALR": lambda s, o: s._swa.SWALR(o, 0.05),
    "SWALR, linear": lambda s, o: s._swa.SWALR(o, [0.05, 0.01], 4, "linear"),
}
METRICS = [5, 4, 4, 4, 4, 3, 3, 3, 3, 3, 3, 2.9999, *[2] * 14]
EPOCHS = 25


class _Names:
    """lr_scheduler, and swa_utils as _swa."""

    def __init__(self, torch):
        import importlib

        self._swa = importlib.import_module(f"{torch.__name__}.optim.swa_utils")
        self._names = importlib.import_module(f"{torch.__name__}.optim.lr_scheduler")

    def __getattr__(self, name):
        return getattr(self._names, name)


def two_groups(torch, tensor=False):
    params = [torch.zeros(2, requires_grad=True), torch.zeros(3, requires_grad=True)]
    lrs = [torch.tensor(0.25), torch.tensor(0.5)] if tensor else [0.2, 0.4]
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": lrs[1]}]
    return torch.optim.SGD(groups, lr=lrs[0], momentum=0.9)


def plain(value):
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value.tolist() if hasattr(value, "dtype") else value


def step(schedule, i):
    schedule.optimizer.step()
    schedule.step(METRICS[i]) if type(schedule).__name__ == "ReduceLROnPlateau" else schedule.step()


def run_schedule(torch, name):
    """Rates and momenta at every epoch, and the state at the end."""
    optimizer = two_groups(torch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # combined schedules call step before any optimizer does
        schedule = SCHEDULES[name](_Names(torch), optimizer)
        curve = []
        for i in range(EPOCHS):
            curve.append([x for g in optimizer.param_groups for x in (g["lr"], g["momentum"])])
            step(schedule, i)
    return {"curve": curve, "last": schedule.get_last_lr(), "state": plain(schedule.state_dict())}
