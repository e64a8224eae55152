"""MNIST and its relatives: images of 28x28 gray pixels in the idx format."""

from __future__ import annotations

import gzip
import lzma
import math
import os
import shutil
import string
import sys
import zlib
from typing import TYPE_CHECKING, Any

import rushlight as torch
from rushlight.vision._pillow import pillow
from rushlight.vision.datasets.utils import check_integrity, download_url, extract_archive, verify_str_arg
from rushlight.vision.datasets.vision import VisionDataset

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EMNIST", "FashionMNIST", "KMNIST", "MNIST", "QMNIST", "read_idx"]

# The third byte of an idx file: NumPy's name of the type, big-endian.
_IDX_TYPES = {8: "u1", 9: "i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: Any) -> Any:
    """The tensor in an idx file (two zero bytes, a type, the number of dimensions, sizes, data), also in .gz or .xz.

    Raises:
        RuntimeError: the file is no idx file, or is longer or shorter than its header says.

    >>> _ = open("two-bytes", "wb").write(bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]))
    >>> torch.vision.datasets.mnist.read_idx("two-bytes")
    tensor([7, 9], dtype=torch.uint8)
    """
    import numpy as np

    path = os.fspath(path)
    opener: Any = {".gz": gzip.open, ".xz": lzma.open}.get(os.path.splitext(path)[1], open)
    try:
        with opener(path, "rb") as file:
            data = file.read()
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise RuntimeError(f"{path} is corrupted: {error}. Delete it and load it again") from None
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _IDX_TYPES or not 1 <= data[3] <= 8:
        raise RuntimeError(f"{path} is corrupted: it does not start like an idx file. Delete it and load it again")
    start = 4 + 4 * data[3]
    shape = [int.from_bytes(data[i : i + 4], "big") for i in range(4, start, 4)]
    dtype = np.dtype(_IDX_TYPES[data[2]])
    expected = start + math.prod(shape) * dtype.itemsize
    if len(data) != expected:
        raise RuntimeError(
            f"{path} is corrupted: its header says {'x'.join(map(str, shape))} elements, so {expected} bytes, "
            f"but it has {len(data)}. Delete it and load it again"
        )
    array = np.frombuffer(data, dtype, offset=start).reshape(shape)
    return torch.from_numpy(array.astype(dtype.newbyteorder("="), copy=True))


def read_sn3_pascalvincent_tensor(path: str, strict: bool = True) -> Any:
    """torchvision's name of `read_idx`."""
    return read_idx(path)


def read_image_file(path: str) -> Any:
    """Images in an idx file: uint8 (n, height, width)."""
    return _expect(path, read_idx(path), 3)


def read_label_file(path: str) -> Any:
    """Labels in an idx file: int64 (n)."""
    return _expect(path, read_idx(path), 1).long()


def _expect(path: str, data: Any, dims: int) -> Any:
    if data.dtype != torch.uint8 or data.dim() != dims:
        raise RuntimeError(f"{path} is corrupted: expected {dims}-d bytes, got {tuple(data.shape)} of {data.dtype}")
    return data


class MNIST(VisionDataset):
    """Handwritten digits: 60,000 images to learn from and 10,000 to test, gray, 28x28.

    Args:
        root: the folder that holds MNIST/raw/train-images-idx3-ubyte and so on (the .gz files do as well).
        train: which of the two.
        transform, target_transform: functions of the PIL image and of the class.
        download: fetch what is missing. An interrupted download is continued; checksums are compared.

    `data` (n, 28, 28) of uint8, `targets` (n) of int64, `classes` and `class_to_idx` are its attributes.

    Raises:
        RuntimeError: the files are not there, or are damaged.

    >>> from rushlight.vision import datasets, transforms
    >>> data = datasets.MNIST("data", download=True, transform=transforms.ToTensor())  # doctest: +SKIP
    >>> data[0][0].shape  # doctest: +SKIP
    torch.Size([1, 28, 28])

    Source: LeCun, Cortes, Burges, The MNIST database of handwritten digits, http://yann.lecun.com/exdb/mnist/
    """

    mirrors = ["https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"]
    resources: Any = [
        ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
        ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
        ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
        ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
    ]
    training_file = "training.pt"
    test_file = "test.pt"
    classes = [
        "0 - zero", "1 - one", "2 - two", "3 - three", "4 - four",
        "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine",
    ]  # fmt: skip

    def __init__(
        self,
        root: Any,
        train: bool = True,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if not self._check_exists():
            raise RuntimeError(
                f"Dataset not found. You can use download=True to download it, or put its files into {self.raw_folder}"
            )
        self.data, self.targets = self._load_data()
        if len(self.data) != len(self.targets):
            raise RuntimeError(
                f"The files in {self.raw_folder} are corrupted: {len(self.data)} images, {len(self.targets)} labels"
            )

    @property
    def raw_folder(self) -> str:
        """Where the files are."""
        return os.path.join(self.root, type(self).__name__, "raw")

    @property
    def processed_folder(self) -> str:
        """Where early releases of torchvision kept a converted form; nothing is read from it."""
        return os.path.join(self.root, type(self).__name__, "processed")

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The number of each class."""
        return {name: i for i, name in enumerate(self.classes)}

    @property
    def train_labels(self) -> Any:
        """An old name of `targets`."""
        return self._renamed("train_labels", "targets")

    @property
    def test_labels(self) -> Any:
        """An old name of `targets`."""
        return self._renamed("test_labels", "targets")

    @property
    def train_data(self) -> Any:
        """An old name of `data`."""
        return self._renamed("train_data", "data")

    @property
    def test_data(self) -> Any:
        """An old name of `data`."""
        return self._renamed("test_data", "data")

    def _renamed(self, old: str, new: str) -> Any:
        import warnings

        warnings.warn(f"{old} has been renamed {new}", stacklevel=3)
        return getattr(self, new)

    def _files(self) -> list[str]:
        """The names of the unpacked files of this part: images and labels."""
        part = "train" if self.train else "t10k"
        return [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]

    def _path(self, name: str) -> str | None:
        """Where a file is, unpacked or not."""
        for ending in ("", ".gz", ".xz"):
            path = os.path.join(self.raw_folder, name + ending)
            if check_integrity(path):
                return path
        return None

    def _check_exists(self) -> bool:
        return all(self._path(name) for name in self._files())

    def _load_data(self) -> tuple[Any, Any]:
        images, labels = (self._path(name) for name in self._files())
        return read_image_file(str(images)), read_label_file(str(labels))

    def _wanted(self) -> list[tuple[str, str]]:
        """Name and checksum of the packed files to download."""
        return list(self.resources)

    def download(self) -> None:
        """Fetches the files that are missing from the first mirror that has them, and unpacks them.

        Raises:
            RuntimeError: no mirror could be reached; or what came does not have its checksum.
        """
        if self._check_exists() and all(self._path(os.path.splitext(name)[0]) for name, _ in self._wanted()):
            return
        os.makedirs(self.raw_folder, exist_ok=True)
        for name, md5 in self._wanted():
            if not check_integrity(os.path.join(self.raw_folder, os.path.splitext(name)[0])):
                packed = os.path.join(self.raw_folder, os.path.basename(name))
                self._fetch(name, packed, md5)
                extract_archive(packed)

    def _fetch(self, name: str, path: str, md5: str) -> None:
        if check_integrity(path, md5):
            return
        problems = []
        for mirror in self.mirrors:
            url = name if "://" in name else mirror + name
            print(f"Downloading {url}")
            try:
                download_url(url, self.raw_folder, os.path.basename(path), md5)
                return
            except (OSError, RuntimeError) as error:  # what is damaged at one mirror may be whole at the next
                print(f"Failed to download (trying next):\n{error}\n", file=sys.stderr)
                problems.append(f"{url}: {error}")
        raise RuntimeError(
            f"Error downloading {name}: " + "; ".join(problems) + f". Without a network, put it into {self.raw_folder}"
        )

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pillow().fromarray(self.data[index].numpy())
        return self._transformed(image, int(self.targets[index]))

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train is True else 'Test'}"


class FashionMNIST(MNIST):
    """Pictures of clothes in ten classes, in MNIST's format. Arguments and attributes are those of `MNIST`.

    >>> torch.vision.datasets.FashionMNIST.classes[:3]
    ['T-shirt/top', 'Trouser', 'Pullover']

    Source: Xiao, Rasul, Vollgraf, Fashion-MNIST, https://arxiv.org/abs/1708.07747
    """

    mirrors = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
        ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
        ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes = [
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    ]  # fmt: skip


class KMNIST(MNIST):
    """Cursive Japanese characters in ten classes, in MNIST's format. Arguments and attributes are those of `MNIST`.

    >>> torch.vision.datasets.KMNIST.classes[:3]
    ['o', 'ki', 'su']

    Source: Clanuwat et al., Deep learning for classical Japanese literature, https://arxiv.org/abs/1812.01718
    """

    mirrors = ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"]
    resources = [
        ("train-images-idx3-ubyte.gz", "bdb82020997e1d708af4cf47b453dcf7"),
        ("train-labels-idx1-ubyte.gz", "e144d726b3acfaa3e44228e80efcd344"),
        ("t10k-images-idx3-ubyte.gz", "5c965bf0a639b31b8f53240b1b52f4d7"),
        ("t10k-labels-idx1-ubyte.gz", "7320c461ea6c1c855c0b718fb2a4b134"),
    ]
    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


class EMNIST(MNIST):
    """Handwritten letters and digits, in MNIST's format (the images stand transposed, as they are published).

    Args:
        root: the folder that holds EMNIST/raw.
        split: "byclass", "bymerge", "balanced", "letters", "digits" or "mnist".
        kwargs: the further arguments of `MNIST`.

    Raises:
        ValueError: another split.
        RuntimeError: the files are not there, or are damaged.

    >>> torch.vision.datasets.EMNIST.classes_split_dict["letters"][:3]
    ['N/A', 'a', 'b']

    Source: Cohen et al., EMNIST: an extension of MNIST to handwritten letters, https://arxiv.org/abs/1702.05373
    """

    url = "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
    md5 = "58c8d27c78d21e728a6bc7b3cc06412e"
    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    _merged_classes = set("cijklmopsuvwxyz")  # small letters that look like their capitals
    _all_classes = set(string.digits + string.ascii_letters)
    classes_split_dict = {
        "byclass": sorted(_all_classes),
        "bymerge": sorted(_all_classes - _merged_classes),
        "balanced": sorted(_all_classes - _merged_classes),
        "letters": ["N/A", *string.ascii_lowercase],
        "digits": list(string.digits),
        "mnist": list(string.digits),
    }

    def __init__(self, root: Any, split: str, **kwargs: Any) -> None:
        self.split = verify_str_arg(split, "split", self.splits)
        self.training_file = f"training_{split}.pt"
        self.test_file = f"test_{split}.pt"
        super().__init__(root, **kwargs)
        self.classes = self.classes_split_dict[split]

    def _files(self) -> list[str]:
        part = f"emnist-{self.split}-{'train' if self.train else 'test'}"
        return [f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"]

    @property
    def images_file(self) -> str:
        """The path of the images."""
        return os.path.join(self.raw_folder, self._files()[0])

    @property
    def labels_file(self) -> str:
        """The path of the labels."""
        return os.path.join(self.raw_folder, self._files()[1])

    def download(self) -> None:
        """Fetches and unpacks the archive that holds all splits, unless this split is there."""
        if self._check_exists():
            return
        os.makedirs(self.raw_folder, exist_ok=True)
        archive = os.path.join(self.raw_folder, "gzip.zip")
        try:
            download_url(self.url, self.raw_folder, "gzip.zip", self.md5)
        except OSError as error:
            raise RuntimeError(
                f"Error downloading {self.url}: {error}. Without a network, put gzip.zip into {self.raw_folder}"
            ) from error
        extract_archive(archive)
        folder = os.path.join(self.raw_folder, "gzip")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".gz"):
                extract_archive(os.path.join(folder, name), os.path.join(self.raw_folder, name[:-3]))
        shutil.rmtree(folder)


class QMNIST(MNIST):
    """MNIST with all 60,000 test images and what is known of each.

    Args:
        root: the folder that holds QMNIST/raw.
        what: "train", "test", "test10k", "test50k" or "nist"; by default as `train` says.
        compat: the target is the class; otherwise all eight numbers that are known.
        train: used where `what` is not given.
        kwargs: the further arguments of `MNIST`.

    Raises:
        ValueError: another `what`.
        RuntimeError: the files are not there, or are damaged.

    >>> data = torch.vision.datasets.QMNIST("data", what="test50k", download=True)  # doctest: +SKIP
    >>> len(data)  # doctest: +SKIP
    50000

    Source: Yadav, Bottou, Cold case: the lost MNIST digits, https://arxiv.org/abs/1905.10498
    """

    subsets = {"train": "train", "test": "test", "test10k": "test", "test50k": "test", "nist": "nist"}
    _base = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"
    mirrors = [_base]
    resources = {
        "train": [
            (f"{_base}qmnist-train-images-idx3-ubyte.gz", "ed72d4157d28c017586c42bc6afe6370"),
            (f"{_base}qmnist-train-labels-idx2-int.gz", "0058f8dd561b90ffdd0f734c6a30e5e4"),
        ],
        "test": [
            (f"{_base}qmnist-test-images-idx3-ubyte.gz", "1394631089c404de565df7b7aeaf9412"),
            (f"{_base}qmnist-test-labels-idx2-int.gz", "5b5b05890a5e13444e108efe57b788aa"),
        ],
        "nist": [
            (f"{_base}xnist-images-idx3-ubyte.xz", "7f124b3b8ab81486c9d8c2749c17f834"),
            (f"{_base}xnist-labels-idx2-int.xz", "5ed0e788978e45d4a8bd4b7caec3d79d"),
        ],
    }

    def __init__(
        self, root: Any, what: str | None = None, compat: bool = True, train: bool = True, **kwargs: Any
    ) -> None:
        self.what = verify_str_arg(what or ("train" if train else "test"), "what", tuple(self.subsets))
        self.compat = compat
        super().__init__(root, train, **kwargs)

    def _wanted(self) -> list[tuple[str, str]]:
        return self.resources[self.subsets[self.what]]

    def _files(self) -> list[str]:
        return [os.path.splitext(os.path.basename(url))[0] for url, _ in self._wanted()]

    def _load_data(self) -> tuple[Any, Any]:
        images, labels = (str(self._path(name)) for name in self._files())
        data, targets = read_image_file(images), read_idx(labels)
        if targets.dtype != torch.int32 or targets.dim() != 2:
            raise RuntimeError(
                f"{labels} is corrupted: expected 2-d int32, got {tuple(targets.shape)} of {targets.dtype}"
            )
        targets = targets.long()
        part = {"test10k": slice(0, 10000), "test50k": slice(10000, None)}.get(self.what, slice(None))
        return data[part], targets[part]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pillow().fromarray(self.data[index].numpy())
        target = self.targets[index]
        return self._transformed(image, int(target[0]) if self.compat else target)

    def extra_repr(self) -> str:
        return f"Split: {self.what}"
