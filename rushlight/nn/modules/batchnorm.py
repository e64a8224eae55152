"""Batch normalisation."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.nn import functional as F
from rushlight.nn import init
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"]


class _NormBase(Module):
    """What batch and instance norm share: weight, bias and running statistics per channel."""

    _version = 2
    __constants__ = ["track_running_stats", "momentum", "eps", "num_features", "affine"]

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, device: Any = None, dtype: Any = None, *, bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight: Any
        self.bias: Any
        self.running_mean: Any
        self.running_var: Any
        self.num_batches_tracked: Any
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            value = Parameter(_C.empty(num_features, device=device, dtype=dtype)) if wanted else None
            self.register_parameter(name, value)
        tracked = track_running_stats
        self.register_buffer("running_mean", _C.zeros(num_features, device=device, dtype=dtype) if tracked else None)
        self.register_buffer("running_var", _C.ones(num_features, device=device, dtype=dtype) if tracked else None)
        count = _C.tensor(0, dtype=_C.int64, device=device) if tracked else None
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Mean 0, variance 1, nothing counted."""
        if self.track_running_stats:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Weight 1, bias 0; the running statistics start again."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def _check_input_dim(self, input: Any) -> None:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any,
        unexpected_keys: Any, error_msgs: Any,
    ) -> None:  # fmt: skip
        version = local_metadata.get("version", None)
        if (version is None or version < 2) and self.track_running_stats:
            # num_batches_tracked came with version 2.
            key = prefix + "num_batches_tracked"
            if key not in state_dict:
                own = self.num_batches_tracked
                state_dict[key] = own if own is not None else _C.tensor(0, dtype=_C.int64)
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
        )


class _BatchNorm(_NormBase):
    def forward(self, input: Any) -> Any:
        """The input, normalised; in training the running statistics are updated."""
        self._check_input_dim(input)
        training, mean, var = self.training, self.running_mean, self.running_var
        factor = self.momentum
        if training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if factor is None:  # the running statistics are the plain mean of all batches'
                factor = 1.0 / float(self.num_batches_tracked)
        if factor is None:
            factor = 0.0
        if training and not self.track_running_stats:
            mean = var = None
        return F.batch_norm(
            input, mean, var, self.weight, self.bias, training or (mean is None and var is None), factor, self.eps
        )


class BatchNorm1d(_BatchNorm):
    """Each channel to mean 0 and variance 1 over the batch (and the length), then weight and bias.

    In training mean and variance are the batch's, and the running ones follow them; in evaluation they are the
    running ones.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: how far the running statistics move towards the batch's; None for the mean over all batches.
        affine: whether to have a weight and a bias.
        track_running_stats: whether to have running statistics; without them a batch's are used in evaluation too.
        bias: whether to have a bias.

    >>> m = torch.nn.BatchNorm1d(2)
    >>> m(torch.tensor([[1., 10.], [3., 30.]])).detach()
    tensor([[-1.0000, -1.0000],
            [ 1.0000,  1.0000]])
    >>> m.running_mean
    tensor([0.2000, 2.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html (Ioffe & Szegedy 2015)
    """

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() != 2 and input.dim() != 3:
            raise ValueError(f"expected 2D or 3D input (got {input.dim()}D input)")


class BatchNorm2d(_BatchNorm):
    """Each channel of (N, C, H, W) to mean 0 and variance 1 over the batch and the plane, then weight and bias.

    >>> layer = torch.nn.BatchNorm2d(3)
    >>> layer(torch.randn(8, 3, 5, 5)).shape, layer.num_batches_tracked
    (torch.Size([8, 3, 5, 5]), tensor(1))

    Args: as `BatchNorm1d`'s.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html (Ioffe & Szegedy 2015)
    """

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() != 4:
            raise ValueError(f"expected 4D input (got {input.dim()}D input)")


class BatchNorm3d(_BatchNorm):
    """Each channel of (N, C, D, H, W) to mean 0 and variance 1 over the batch and the volume, then weight and bias.

    Args: as `BatchNorm1d`'s.

    >>> torch.nn.BatchNorm3d(3)(torch.randn(2, 3, 4, 4, 4)).shape
    torch.Size([2, 3, 4, 4, 4])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm3d.html (Ioffe & Szegedy 2015)
    """

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() != 5:
            raise ValueError(f"expected 5D input (got {input.dim()}D input)")


class SyncBatchNorm(_BatchNorm):
    """Batch norm whose statistics would be those of all processes; of one process it is plain batch norm.

    Args: as `BatchNorm1d`'s, and
        process_group: has no meaning without a process group.

    >>> net = torch.nn.Sequential(torch.nn.BatchNorm2d(3))
    >>> torch.nn.SyncBatchNorm.convert_sync_batchnorm(net)[0].__class__.__name__
    'SyncBatchNorm'

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
        track_running_stats: bool = True, process_group: Any = None, device: Any = None, dtype: Any = None, *,
        bias: bool = True,
    ) -> None:  # fmt: skip
        super().__init__(
            num_features, eps, momentum, affine, track_running_stats, device=device, dtype=dtype, bias=bias
        )
        self.process_group = process_group

    def _check_input_dim(self, input: Any) -> None:
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")
        if input.shape[1] == 0:
            raise ValueError("SyncBatchNorm number of input channels should be non-zero")

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """The module with every batch norm in it replaced by a SyncBatchNorm of the same parameters."""
        converted = module
        if isinstance(module, _BatchNorm) and not isinstance(module, SyncBatchNorm):
            sync = cls(
                module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats,
                process_group, bias=module.bias is not None,
            )  # fmt: skip
            sync.weight, sync.bias = module.weight, module.bias
            sync.running_mean, sync.running_var = module.running_mean, module.running_var
            sync.num_batches_tracked = module.num_batches_tracked
            sync.training = module.training
            converted = sync
        for name, child in module.named_children():
            converted.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return converted
