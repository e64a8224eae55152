"""Data sets of images: those that come as files to download, folders of images, and random ones.

Reference: https://pytorch.org/vision/stable/datasets.html
"""

from __future__ import annotations

from typing import Any

from rushlight.vision.datasets.cifar import CIFAR10, CIFAR100
from rushlight.vision.datasets.fakedata import FakeData
from rushlight.vision.datasets.folder import DatasetFolder, ImageFolder
from rushlight.vision.datasets.mnist import EMNIST, KMNIST, MNIST, QMNIST, FashionMNIST
from rushlight.vision.datasets.small import STL10, SVHN, USPS
from rushlight.vision.datasets.vision import VisionDataset

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "DatasetFolder",
    "EMNIST",
    "FakeData",
    "FashionMNIST",
    "ImageFolder",
    "KMNIST",
    "MNIST",
    "QMNIST",
    "STL10",
    "SVHN",
    "USPS",
    "VisionDataset",
]

# torchvision's others: the name can be imported, so that a program that does not use it runs.
_ABSENT = frozenset(
    (
        "Caltech101 Caltech256 CarlaStereo CelebA Cityscapes CLEVRClassification CocoCaptions CocoDetection Country211 "
        "CREStereo DTD ETH3DStereo EuroSAT FallingThingsStereo FER2013 FGVCAircraft Flickr30k Flickr8k Flowers102 "
        "FlyingChairs FlyingThings3D Food101 GTSRB HD1K HMDB51 ImageNet Imagenette INaturalist InStereo2k Kinetics Kitti "
        "Kitti2012Stereo Kitti2015Stereo KittiFlow LFWPairs LFWPeople LSUN LSUNClass Middlebury2014Stereo MovingMNIST "
        "Omniglot OxfordIIITPet PCAM PhotoTour Places365 RenderedSST2 SBDataset SBU SceneFlowStereo SEMEION Sintel "
        "SintelStereo StanfordCars SUN397 UCF101 VOCDetection VOCSegmentation WIDERFace"
    ).split()
)


def _absent(name: str) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError(
            f"rushlight has no torchvision.datasets.{name}. Where it is a folder of images by class, "
            "ImageFolder reads it; otherwise write a Dataset with __len__ and __getitem__"
        )

    return type(name, (VisionDataset,), {"__init__": __init__, "__module__": __name__, "__doc__": "Not in rushlight."})


def __getattr__(name: str) -> Any:
    if name in _ABSENT:
        return globals().setdefault(name, _absent(name))
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __all__)
