"""Models by name, and the weights that belong to them."""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import os
import re
import sys
import warnings
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["Weights", "WeightsEnum", "get_model", "get_model_builder", "get_model_weights", "get_weight", "list_models"]

ADDRESS = "https://download.pytorch.org/models/"


@dataclass(frozen=True)
class Weights:
    """Where the weights are, what the images have to go through, and what is known of them.

    >>> torch.vision.models.ResNet18_Weights.DEFAULT.value.url
    'https://download.pytorch.org/models/resnet18-f37072fd.pth'
    """

    url: str
    transforms: Callable
    meta: dict[str, Any] = field(hash=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Weights) and self.url == other.url and self.meta == other.meta


class WeightsEnum(Enum):
    """The base of the enumerations of a model's weights, such as `ResNet18_Weights`.

    `weights.transforms()` is what the images have to go through, `weights.meta` what is known of the weights.

    >>> weights = torch.vision.models.ResNet18_Weights.DEFAULT
    >>> weights.transforms()(torch.rand(3, 300, 400)).shape, len(weights.meta["categories"])
    (torch.Size([3, 224, 224]), 1000)
    """

    def __init_subclass__(cls) -> None:
        if not cls.__doc__ or cls.__doc__ == WeightsEnum.__doc__:
            model = cls.__name__.removesuffix("_Weights")
            cls.__doc__ = f"What {model} has learned: `weights={cls.__name__}.DEFAULT` loads it (by download, once)."

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """The member that is meant: a member, its name, or None.

        Raises:
            TypeError: a member of another model's.
            KeyError: no such name.
        """
        if obj is None or isinstance(obj, cls):
            return obj
        if isinstance(obj, str):
            return cls[obj.replace(cls.__name__ + ".", "")]
        raise TypeError(f"Invalid Weight class provided; expected {cls.__name__} but received {type(obj).__name__}.")

    @property
    def url(self) -> str:
        """Where the file is."""
        return self.value.url

    @property
    def transforms(self) -> Callable:
        """A function without arguments that makes the transform of the images."""
        return self.value.transforms

    @property
    def meta(self) -> dict[str, Any]:
        """Number of parameters, accuracy, and so on."""
        return self.value.meta

    def get_state_dict(self, progress: bool = True, check_hash: bool = True, **kwargs: Any) -> Any:
        """The weights, from the cache or from the network. See `load_weights`."""
        return load_weights(self.url, progress, **kwargs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self._name_}"


def imagenet(name: str, num_params: int, top1: float, top5: float, resize: int = 256, **preset: Any) -> Weights:
    """Weights learned on ImageNet-1K; name: that of the file."""
    from rushlight.vision.models._imagenet_classes import CATEGORIES
    from rushlight.vision.transforms._presets import ImageClassification
    from rushlight.vision.transforms.functional import InterpolationMode

    if "interpolation" in preset:
        preset["interpolation"] = InterpolationMode(preset["interpolation"])
    options = {"crop_size": 224, **({"resize_size": resize} if resize != 256 else {}), **preset}
    meta = {
        "num_params": num_params,
        "categories": CATEGORIES,
        "_metrics": {"ImageNet-1K": {"acc@1": top1, "acc@5": top5}},
    }
    return Weights(f"{ADDRESS}{name}.pth", partial(ImageClassification, **options), meta)


def cache_folder() -> str:
    """Where PyTorch keeps such files: what was loaded for the one is there for the other."""
    home = os.environ.get("TORCH_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "torch")
    return os.path.join(os.path.expanduser(home), "hub", "checkpoints")


def load_weights(url: str, progress: bool = True, **kwargs: Any) -> Any:
    """A state_dict from the cache folder; if it is not there, from the network first.

    The name of the file holds the first digits of its SHA-256 sum, which is compared.

    Raises:
        RuntimeError: no network and no file; or the file is damaged.
    """
    import rushlight
    from rushlight.vision.datasets.utils import _digest, fetch

    folder, name = cache_folder(), os.path.basename(url)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        sys.stderr.write(f'Downloading: "{url}" to {path}\n')
        try:
            fetch(url, path, progress)
        except OSError as error:
            raise RuntimeError(
                f"the weights {name} are not in {folder} and cannot be loaded from {url}: {error}. "
                "Put the file there, or pass weights=None for a model that has learned nothing yet"
            ) from error
    expected = re.search(r"-([0-9a-f]{8,})\.", name)
    if expected and not (found := _digest(path, hashlib.sha256())).startswith(expected.group(1)):
        os.remove(path)
        raise RuntimeError(
            f"{path} is corrupted: its SHA-256 sum starts with {found[:8]}, not {expected.group(1)}. Removed it"
        )
    return rushlight.load(path, map_location=kwargs.get("map_location", "cpu"), weights_only=True)


def _with_example(doc: str | None, example: str) -> str:
    return f"{(doc or '').rstrip()}\n\n{example}"


_BUILDERS: dict[str, Callable] = {}
_WEIGHTS: dict[str, Any] = {}


def register(weights: Any) -> Callable[[Callable], Callable]:
    """Makes a function known as the builder of a model that has these weights, and lets it be called in old ways too."""

    def decorate(builder: Callable) -> Callable:
        @functools.wraps(builder)
        def build(*args: Any, **kwargs: Any) -> Any:
            if args:
                warnings.warn(
                    "Using 'weights' as positional parameter(s) is deprecated since 0.13 and may be removed in the "
                    "future. Please use keyword parameter(s) instead."
                )
                for name, value in zip(("weights", "progress"), args, strict=False):
                    kwargs[name] = value
            if "pretrained" in kwargs:
                warnings.warn(
                    "The parameter 'pretrained' is deprecated since 0.13 and may be removed in the future, please use "
                    "'weights' instead."
                )
                kwargs["weights"] = kwargs.pop("pretrained")
            given = kwargs.get("weights")
            if not (given is None or isinstance(given, str | WeightsEnum)):
                name = f"{weights.__name__}.IMAGENET1K_V1" if given else "None"
                more = f" You can also use `weights={weights.__name__}.DEFAULT` to get the most up-to-date weights."
                warnings.warn(
                    "Arguments other than a weight enum or `None` for 'weights' are deprecated since 0.13 and may be "
                    f"removed in the future. The current behavior is equivalent to passing `weights={name}`."
                    + (more if given else "")
                )
                kwargs["weights"] = weights.IMAGENET1K_V1 if given else None
            chosen = kwargs["weights"] = weights.verify(kwargs.get("weights"))
            if chosen is not None and kwargs.setdefault("num_classes", 1000) != 1000:
                raise ValueError(
                    f"The parameter 'num_classes' expected value 1000 but got {kwargs['num_classes']} instead: "
                    f"{chosen!r} tells 1000 classes apart. Build it so, then replace its last layer"
                )
            return builder(**kwargs)

        name, count = builder.__name__, min(w.meta["num_params"] for w in weights)
        _BUILDERS[name] = build
        _WEIGHTS[name] = weights
        build.__doc__ = _with_example(
            builder.__doc__,
            f'    >>> with torch.device("meta"):  # the shapes alone\n    ...     model = torch.vision.models.{name}()\n'
            f"    >>> sum(p.numel() for p in model.parameters())\n    {count}\n",
        )
        weights.__doc__ = _with_example(
            weights.__doc__,
            f">>> weights = torch.vision.models.{weights.__name__}.DEFAULT\n"
            f'>>> weights.meta["num_params"]\n{weights.DEFAULT.meta["num_params"]}\n',
        )
        return build

    return decorate


def load_into(model: Any, weights: Any, progress: bool) -> Any:
    """The model, with these weights unless they are None."""
    if weights is not None:
        model.load_state_dict(weights.get_state_dict(progress=progress, check_hash=True))
    return model


def list_models(
    module: Any = None, include: Iterable[str] | str | None = None, exclude: Iterable[str] | str | None = None
) -> list[str]:
    """The names of the models, sorted.

    Args:
        module: only those that this module defines.
        include, exclude: patterns such as "resnet*".

    >>> [name for name in torch.vision.models.list_models() if name.startswith("resnet")]
    ['resnet101', 'resnet152', 'resnet18', 'resnet34', 'resnet50']
    """
    names = set(_BUILDERS)
    if module is not None:
        names = {n for n in names if _BUILDERS[n].__module__.rpartition(".")[0] == module.__name__}
        names |= {n for n in _BUILDERS if _BUILDERS[n].__module__ == module.__name__}
    patterns = [include] if isinstance(include, str) else list(include or [])
    if patterns:
        names = {n for p in patterns for n in fnmatch.filter(names, p)}
    for pattern in [exclude] if isinstance(exclude, str) else list(exclude or []):
        names -= set(fnmatch.filter(names, pattern))
    return sorted(names)


def get_model_builder(name: str) -> Callable:
    """The function that builds a model.

    Raises:
        ValueError: no such model.

    >>> torch.vision.models.get_model_builder("resnet18").__name__
    'resnet18'
    """
    try:
        return _BUILDERS[name.lower()]
    except KeyError:
        raise ValueError(f"Unknown model {name}. models.list_models() names those that are here") from None


def get_model(name: str, **config: Any) -> Any:
    """The model of this name; config: what its builder takes.

    Raises:
        ValueError: no such model.

    >>> from rushlight.vision import models
    >>> model = models.get_model("resnet18", weights=None, num_classes=10)
    """
    return get_model_builder(name)(**config)


def get_model_weights(name: Any) -> Any:
    """The enumeration of the weights of a model, by its name or its builder.

    >>> [w.name for w in torch.vision.models.get_model_weights("resnet18")]
    ['IMAGENET1K_V1']
    """
    key = name if isinstance(name, str) else name.__name__
    get_model_builder(key)
    return _WEIGHTS[key.lower()]


def get_weight(name: str) -> Any:
    """The weights of this name, such as "ResNet18_Weights.DEFAULT".

    Raises:
        ValueError: no such weights.

    >>> torch.vision.models.get_weight("ResNet18_Weights.DEFAULT").name
    'IMAGENET1K_V1'
    """
    enum, dot, member = name.partition(".")
    if not dot:
        raise ValueError(f"Invalid weight name provided: '{name}'.")
    for weights in _WEIGHTS.values():
        if weights.__name__ == enum:
            return weights[member]
    raise ValueError(f"The weight enum '{enum}' for the specific method couldn't be retrieved.")
