"""CIFAR-10 and CIFAR-100: small colour images in pickles, which are read without running what is in them."""

from __future__ import annotations

import io
import os
import pickle
from typing import TYPE_CHECKING, Any

from rushlight.vision._pillow import pillow
from rushlight.vision.datasets.utils import check_integrity, download_and_extract_archive
from rushlight.vision.datasets.vision import VisionDataset

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CIFAR10", "CIFAR100"]


class _DType:
    """Stands for numpy.dtype in the pickle: only its name is kept."""

    def __init__(self, name: Any, align: Any = False, copy: Any = False) -> None:
        self.name = name

    def __setstate__(self, state: Any) -> None:
        pass


class _Array:
    """Stands for numpy.ndarray in the pickle: bytes and a shape."""

    def __setstate__(self, state: Any) -> None:
        _, self.shape, self.dtype, self.by_column, data = state
        self.data = data.encode("latin1") if isinstance(data, str) else data


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    if encoding != "latin1" or not isinstance(text, str):
        raise pickle.UnpicklingError("only latin1 text is expected here")
    return text.encode("latin1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _encode,
    **{
        (module, name): value
        for package in ("numpy.core", "numpy._core")
        for module, name, value in (
            (f"{package}.multiarray", "_reconstruct", _reconstruct),
            ("numpy", "ndarray", _Array),
            ("numpy", "dtype", _DType),
        )
    },
}


class _Unpickler(pickle.Unpickler):
    """Builds lists, dicts, strings, numbers and arrays of bytes, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"refuses {module}.{name}: the pickle of a data set holds only data") from None


def load_pickle(path: Any) -> dict[str, Any]:
    """The dictionary in a file of CIFAR, its arrays of bytes as NumPy's.

    Raises:
        RuntimeError: the file is damaged, or wants to run code.
    """
    import numpy as np

    with open(path, "rb") as file:
        data = file.read()
    try:
        entry = _Unpickler(io.BytesIO(data), encoding="latin1").load()
        if not isinstance(entry, dict):
            raise pickle.UnpicklingError(f"expected a dictionary, found {type(entry).__name__}")
        for key, value in entry.items():
            if isinstance(value, _Array):
                if value.dtype.name not in ("u1", "|u1", "uint8"):
                    raise pickle.UnpicklingError(f"expected bytes, found an array of {value.dtype.name!r}")
                array = np.frombuffer(value.data, np.uint8)
                entry[key] = array.reshape(value.shape, order="F" if value.by_column else "C")
    except Exception as error:
        raise RuntimeError(f"{os.fspath(path)} is corrupted: {error}. Delete it and load it again") from None
    return entry


class CIFAR10(VisionDataset):
    """60,000 colour images of 32x32 in ten classes, of which 10,000 are for the test.

    Args:
        root: the folder that holds cifar-10-batches-py.
        train: which of the two.
        transform, target_transform: functions of the PIL image and of the class.
        download: fetch what is missing (170 MB). An interrupted download is continued; checksums are compared.

    `data`, a NumPy array (n, 32, 32, 3) of uint8, `targets`, a list, `classes` and `class_to_idx` are its attributes.

    Raises:
        RuntimeError: the files are not there, or do not have their checksums.

    >>> from rushlight.vision import datasets, transforms
    >>> data = datasets.CIFAR10("data", download=True, transform=transforms.ToTensor())  # doctest: +SKIP
    >>> data[0][0].shape  # doctest: +SKIP
    torch.Size([3, 32, 32])

    Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html
    """

    base_folder = "cifar-10-batches-py"
    url = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
    filename = "cifar-10-python.tar.gz"
    tgz_md5 = "c58f30108f718f92721af3b95e74349a"
    train_list = [
        ["data_batch_1", "c99cafc152244af753f735de768cd75f"],
        ["data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"],
        ["data_batch_3", "54ebc095f3ab1f0389bbae665268c751"],
        ["data_batch_4", "634d18415352ddfa80567beed471001a"],
        ["data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"],
    ]
    test_list = [["test_batch", "40351d587109b95175f43aff81a1287e"]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": "5ff9c542aee3614f3951f8cda6e48888"}

    def __init__(
        self,
        root: Any,
        train: bool = True,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        import numpy as np

        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if damaged := self._damaged():
            raise RuntimeError(
                "Dataset not found or corrupted. You can use download=True to download it. "
                f"Missing in {os.path.join(self.root, self.base_folder)}, or with another checksum: {', '.join(damaged)}"
            )
        pixels: list[Any] = []
        self.targets: list[int] = []
        for name, _ in self.train_list if train else self.test_list:
            entry = load_pickle(self._path(name))
            labels = entry.get("labels", entry.get("fine_labels"))
            images = entry.get("data")
            if labels is None or images is None or images.shape != (len(labels), 3072):
                raise RuntimeError(f"{self._path(name)} is corrupted: it holds no images of 3x32x32 with their labels")
            pixels.append(images)
            self.targets.extend(labels)
        self.data = np.vstack(pixels).reshape(-1, 3, 32, 32).transpose((0, 2, 3, 1))
        self.classes = load_pickle(self._path(self.meta["filename"]))[self.meta["key"]]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def _path(self, name: str) -> str:
        return os.path.join(self.root, self.base_folder, name)

    def _damaged(self) -> list[str]:
        files = [*self.train_list, *self.test_list, [self.meta["filename"], self.meta["md5"]]]
        return [name for name, md5 in files if not check_integrity(self._path(name), md5)]

    def _check_integrity(self) -> bool:
        return not self._damaged()

    def download(self) -> None:
        """Fetches and unpacks the archive, unless all files are there and whole.

        Raises:
            RuntimeError: it could not be reached, or what came does not have its checksum.
        """
        if self._check_integrity():
            return
        try:
            download_and_extract_archive(self.url, self.root, filename=self.filename, md5=self.tgz_md5)
        except OSError as error:
            raise RuntimeError(
                f"Error downloading {self.url}: {error}. Without a network, put {self.filename} into {self.root}"
            ) from error

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(pillow().fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train is True else 'Test'}"


class CIFAR100(CIFAR10):
    """The same with a hundred classes of 600 images. Arguments and attributes are those of `CIFAR10`.

    >>> from rushlight.vision import datasets, transforms
    >>> data = datasets.CIFAR100("data", download=True, transform=transforms.ToTensor())  # doctest: +SKIP
    >>> data[0][0].shape  # doctest: +SKIP
    torch.Size([3, 32, 32])

    Source: Krizhevsky, Learning multiple layers of features from tiny images, 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html
    """

    base_folder = "cifar-100-python"
    url = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
    filename = "cifar-100-python.tar.gz"
    tgz_md5 = "eb9058c3a382ffc7106e4002c42a8d85"
    train_list = [["train", "16019d7e3df5f24257cddd939b257f8d"]]
    test_list = [["test", "f0ef6b0ae62326f3e7ffdfab6717acfc"]]
    meta = {"filename": "meta", "key": "fine_label_names", "md5": "7973b15100ade9c7d40fb424638fde48"}
