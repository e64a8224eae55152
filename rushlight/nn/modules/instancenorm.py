"""Instance normalisation."""

from __future__ import annotations

from typing import Any

from rushlight.nn import functional as F
from rushlight.nn.modules.batchnorm import _NormBase

__all__ = ["InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class _InstanceNorm(_NormBase):
    _unbatched = 0  # the number of dimensions of an input without a batch

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device=device, dtype=dtype, bias=bias
        )

    def _check_input_dim(self, input: Any) -> None:
        low = self._unbatched
        if input.dim() not in (low, low + 1):
            raise ValueError(f"expected {low}D or {low + 1}D input (got {input.dim()}D input)")

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any,
        unexpected_keys: Any, error_msgs: Any,
    ) -> None:  # fmt: skip
        if local_metadata.get("version", None) is None and not self.track_running_stats:
            kept = [name for name in ("running_mean", "running_var") if prefix + name in state_dict]
            if kept:
                names, kind = " and ".join(f'"{name}"' for name in kept), type(self).__name__
                error_msgs.append(
                    f"Unexpected running stats buffer(s) {names} for {kind} with track_running_stats=False. If "
                    "state_dict is a checkpoint saved before 0.4.0, this may be expected because "
                    f"{kind} does not track running stats by default since 0.4.0. Please remove these keys from "
                    "state_dict. If the running stats are actually needed, instead set track_running_stats=True in "
                    f"{kind} to enable them."
                )
                for name in kept:
                    del state_dict[prefix + name]
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )

    def forward(self, input: Any) -> Any:
        """The input, normalised."""
        self._check_input_dim(input)
        axis = input.dim() - self._unbatched
        channels = input.shape[axis]
        if channels != self.num_features:
            if self.affine:
                raise ValueError(
                    f"expected input's size at dim={axis} to match num_features ({self.num_features}), but got: "
                    f"{channels}."
                )
            import warnings

            warnings.warn(
                f"input's size at dim={axis} does not match num_features. You can silence this warning by not passing "
                "in num_features, which is not used because affine=False",
                stacklevel=2,
            )
        batch = input if axis else input.unsqueeze(0)
        result = F.instance_norm(
            batch, self.running_mean, self.running_var, self.weight, self.bias,
            self.training or not self.track_running_stats, self.momentum if self.momentum is not None else 0.0,
            self.eps,
        )  # fmt: skip
        return result if axis else result.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each item to mean 0 and variance 1 over its length, then weight and bias.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: how far the running statistics, if there are any, move towards a batch's.
        affine: whether to have a weight and (unless `bias` is False) a bias.
        track_running_stats: whether to have running statistics, used in evaluation.

    >>> torch.nn.InstanceNorm1d(2)(torch.tensor([[[1., 3.], [10., 30.]]]))
    tensor([[[-1.0000,  1.0000],
             [-1.0000,  1.0000]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html (Ulyanov et al. 2016)
    """

    _unbatched = 2


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each item of (N, C, H, W) or (C, H, W) to mean 0 and variance 1, then weight and bias.

    >>> torch.nn.InstanceNorm2d(3)(torch.randn(2, 3, 4, 4)).shape
    torch.Size([2, 3, 4, 4])

    Args: as `InstanceNorm1d`'s.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html (Ulyanov et al. 2016)
    """

    _unbatched = 3


class InstanceNorm3d(_InstanceNorm):
    """Each channel of each item of (N, C, D, H, W) or (C, D, H, W) to mean 0 and variance 1, then weight and bias.

    Args: as `InstanceNorm1d`'s.

    >>> torch.nn.InstanceNorm3d(3)(torch.randn(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm3d.html (Ulyanov et al. 2016)
    """

    _unbatched = 4
