"""The layers."""

from __future__ import annotations

from rushlight._missing import module_getattr
from rushlight.nn.modules import (
    activation,
    adaptive,
    attention,
    batchnorm,
    channelshuffle,
    container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    instancenorm,
    lazy_conv,
    lazy_norm,
    linear,
    loss,
    module,
    normalization,
    padding,
    pixelshuffle,
    pooling,
    rnn,
    sparse,
    transformer,
    upsampling,
    utils,
)
from rushlight.nn.modules.activation import *  # noqa: F403
from rushlight.nn.modules.adaptive import *  # noqa: F403
from rushlight.nn.modules.attention import *  # noqa: F403
from rushlight.nn.modules.batchnorm import *  # noqa: F403
from rushlight.nn.modules.channelshuffle import *  # noqa: F403
from rushlight.nn.modules.container import *  # noqa: F403
from rushlight.nn.modules.conv import *  # noqa: F403
from rushlight.nn.modules.distance import *  # noqa: F403
from rushlight.nn.modules.dropout import *  # noqa: F403
from rushlight.nn.modules.flatten import *  # noqa: F403
from rushlight.nn.modules.fold import *  # noqa: F403
from rushlight.nn.modules.instancenorm import *  # noqa: F403
from rushlight.nn.modules.lazy_conv import *  # noqa: F403
from rushlight.nn.modules.lazy_norm import *  # noqa: F403
from rushlight.nn.modules.linear import *  # noqa: F403
from rushlight.nn.modules.loss import *  # noqa: F403
from rushlight.nn.modules.module import Module
from rushlight.nn.modules.normalization import *  # noqa: F403
from rushlight.nn.modules.padding import *  # noqa: F403
from rushlight.nn.modules.pixelshuffle import *  # noqa: F403
from rushlight.nn.modules.pooling import *  # noqa: F403
from rushlight.nn.modules.rnn import *  # noqa: F403
from rushlight.nn.modules.sparse import *  # noqa: F403
from rushlight.nn.modules.transformer import *  # noqa: F403
from rushlight.nn.modules.upsampling import *  # noqa: F403

__all__ = [
    "Module",
    *activation.__all__,
    *adaptive.__all__,
    *attention.__all__,
    *batchnorm.__all__,
    *channelshuffle.__all__,
    *container.__all__,
    *conv.__all__,
    *distance.__all__,
    *dropout.__all__,
    *flatten.__all__,
    *fold.__all__,
    *instancenorm.__all__,
    *lazy_conv.__all__,
    *lazy_norm.__all__,
    *linear.__all__,
    *loss.__all__,
    *normalization.__all__,
    *padding.__all__,
    *pixelshuffle.__all__,
    *pooling.__all__,
    *rnn.__all__,
    *sparse.__all__,
    *transformer.__all__,
    *upsampling.__all__,
]

# Where PyTorch keeps these, and where its files look for them.
for _home, _names in (
    (activation, ("MultiheadAttention",)),
    (batchnorm, ("LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d")),
    (conv, ("LazyConv1d", "LazyConv2d", "LazyConv3d")),
    (conv, ("LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d")),
    (instancenorm, ("LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d")),
):
    for _name in _names:
        globals()[_name].__module__ = _home.__name__
        setattr(_home, _name, globals()[_name])

_ = module, utils


# A data class, seldom used.
__getattr__ = module_getattr(
    __name__, ("linear_cross_entropy_options",), {"LinearCrossEntropyOptions": "linear_cross_entropy_options"}
)
