"""Models of images, with torchvision's parameters: a state_dict goes either way.

>>> from rushlight.vision import models
>>> model = models.resnet18(num_classes=10)

Reference: https://pytorch.org/vision/stable/models.html
"""

from rushlight._missing import module_getattr
from rushlight.vision.models import alexnet as _alexnet
from rushlight.vision.models import (
    densenet,
    efficientnet,
    mobilenetv2,
    mobilenetv3,
    resnet,
    squeezenet,
    vgg,
    vision_transformer,
)
from rushlight.vision.models._api import get_model, get_model_builder, get_model_weights, get_weight, list_models
from rushlight.vision.models.alexnet import *  # noqa: F403
from rushlight.vision.models.densenet import *  # noqa: F403
from rushlight.vision.models.efficientnet import *  # noqa: F403
from rushlight.vision.models.mobilenetv2 import *  # noqa: F403
from rushlight.vision.models.mobilenetv3 import *  # noqa: F403
from rushlight.vision.models.resnet import *  # noqa: F403
from rushlight.vision.models.squeezenet import *  # noqa: F403
from rushlight.vision.models.vgg import *  # noqa: F403
from rushlight.vision.models.vision_transformer import *  # noqa: F403

__all__ = [
    "get_model",
    "get_model_builder",
    "get_model_weights",
    "get_weight",
    "list_models",
    *_alexnet.__all__,
    *densenet.__all__,
    *efficientnet.__all__,
    *mobilenetv2.__all__,
    *mobilenetv3.__all__,
    *resnet.__all__,
    *squeezenet.__all__,
    *vgg.__all__,
    *vision_transformer.__all__,
]

__getattr__ = module_getattr(__name__)
