"""Three further data sets of small images: house numbers (SVHN), ten classes with many unlabeled images (STL10), and
digits from envelopes (USPS)."""

from __future__ import annotations

import bz2
import os
from typing import TYPE_CHECKING, Any

from rushlight.vision._pillow import pillow
from rushlight.vision.datasets.utils import (
    check_integrity,
    download_and_extract_archive,
    download_url,
    verify_str_arg,
)
from rushlight.vision.datasets.vision import VisionDataset

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["STL10", "SVHN", "USPS"]

MISSING = "Dataset not found or corrupted. You can use download=True to download it"


def _fetch(url: str, root: str, name: str, md5: str, fetch: Any = download_url) -> None:
    try:
        fetch(url, root, filename=name, md5=md5)
    except OSError as error:
        raise RuntimeError(f"Error downloading {url}: {error}. Without a network, put {name} into {root}") from error


class _ColourImages(VisionDataset):
    """Images (n, 3, height, width) and their labels in memory, of one `split`."""

    data: Any
    labels: Any
    split: str

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pillow().fromarray(self.data[index].transpose((1, 2, 0)).copy())
        return self._transformed(image, int(self.labels[index]))

    def __len__(self) -> int:
        return len(self.data)

    def extra_repr(self) -> str:
        return f"Split: {self.split}"


class SVHN(_ColourImages):
    """House numbers from photographs of streets: 32x32 in colour, ten classes. Needs SciPy, which reads the files.

    Args:
        root: the folder that holds train_32x32.mat and so on.
        split: "train" (73,257 images), "test" (26,032) or "extra" (531,131).
        transform, target_transform: functions of the PIL image and of the class.
        download: fetch what is missing.

    `data`, a NumPy array (n, 3, 32, 32) of uint8, and `labels` (n) of int64 are its attributes.

    Raises:
        ValueError: another split.
        RuntimeError: the file is not there, or does not have its checksum.
        ImportError: SciPy is not installed.

    >>> data = torch.vision.datasets.SVHN("data", split="test", download=True)  # doctest: +SKIP
    >>> data.data.shape  # doctest: +SKIP
    (26032, 3, 32, 32)

    Source: Netzer et al., Reading digits in natural images with unsupervised feature learning, 2011,
    http://ufldl.stanford.edu/housenumbers/
    """

    split_list = {
        part: [f"http://ufldl.stanford.edu/housenumbers/{part}_32x32.mat", f"{part}_32x32.mat", md5]
        for part, md5 in (
            ("train", "e26dedcc434d2e4c54c9b2d4a06d8373"),
            ("test", "eb5a983be6a315427106f1b164d9cef3"),
            ("extra", "a93ce644f1a588dc4d68dda5feec44a7"),
        )
    }

    def __init__(
        self,
        root: Any,
        split: str = "train",
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", tuple(self.split_list))
        self.url, self.filename, self.file_md5 = self.split_list[split]
        if download:
            self.download()
        if not self._check_integrity():
            raise RuntimeError(f"{MISSING}: {self.filename} in {self.root}")
        try:
            from scipy.io import loadmat
        except ModuleNotFoundError:
            raise ImportError("SVHN's files are read with SciPy, which is not installed: pip install scipy") from None
        content = loadmat(os.path.join(self.root, self.filename))
        self.labels = content["y"].astype("int64").reshape(-1) % 10  # a zero is written as 10
        self.data = content["X"].transpose((3, 2, 0, 1))

    def _check_integrity(self) -> bool:
        return check_integrity(os.path.join(self.root, self.filename), self.file_md5)

    def download(self) -> None:
        """Fetches the file of this split, unless it is there and whole."""
        _fetch(self.url, self.root, self.filename, self.file_md5)


class STL10(_ColourImages):
    """Colour images of 96x96: ten classes with 500 images each to learn from, and 100,000 images without labels.

    Args:
        root: the folder that holds stl10_binary.
        split: "train", "test", "unlabeled" or "train+unlabeled". What has no label has -1.
        folds: which of the ten parts of the training set to take, None for all.
        transform, target_transform: functions of the PIL image and of the class.
        download: fetch what is missing (2.6 GB).

    `data`, a NumPy array (n, 3, 96, 96) of uint8, `labels` (n) of int64 and `classes` are its attributes.

    Raises:
        ValueError: another split, or folds that are no number from 0 to 9.
        RuntimeError: the files are not there, or do not have their checksums.

    >>> data = torch.vision.datasets.STL10("data", split="train", folds=0, download=True)  # doctest: +SKIP
    >>> data.data.shape  # doctest: +SKIP
    (1000, 3, 96, 96)

    Source: Coates, Lee, Ng, An analysis of single-layer networks in unsupervised feature learning, 2011,
    https://cs.stanford.edu/~acoates/stl10/
    """

    base_folder = "stl10_binary"
    url = "http://ai.stanford.edu/~acoates/stl10/stl10_binary.tar.gz"
    filename = "stl10_binary.tar.gz"
    tgz_md5 = "91f7769df0f17e558f3565bffb0c7dfb"
    class_names_file = "class_names.txt"
    folds_list_file = "fold_indices.txt"
    train_list = [
        ["train_X.bin", "918c2871b30a85fa023e0c44e0bee87f"],
        ["train_y.bin", "5a34089d4802c674881badbb80307741"],
        ["unlabeled_X.bin", "5242ba1fed5e4be9e1e742405eb56ca4"],
    ]
    test_list = [
        ["test_X.bin", "7f263ba9f9e0b06b93213547f721ac82"],
        ["test_y.bin", "36f9794fa4beb8a2c72628de14fa638e"],
    ]
    splits = ("train", "train+unlabeled", "unlabeled", "test")

    def __init__(
        self,
        root: Any,
        split: str = "train",
        folds: int | None = None,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        download: bool = False,
    ) -> None:
        import numpy as np

        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", self.splits)
        if folds is not None and not isinstance(folds, int):
            raise ValueError(f"Expected type None or int for argument folds, but got type {type(folds)}.")
        if folds is not None and folds not in range(10):
            raise ValueError(f"Value for argument folds should be in the range [0, 10), but got {folds}.")
        self.folds = folds
        if download:
            self.download()
        if not self._check_integrity():
            raise RuntimeError(f"{MISSING}: {self._path('')}")
        images, labels = [], []
        for part in ("train", "unlabeled", "test"):
            if part in split.split("+"):
                data = self._images(f"{part}_X.bin")
                known = part != "unlabeled"
                y = np.fromfile(self._path(f"{part}_y.bin"), np.uint8).astype(np.int64) - 1 if known else None
                y = y if y is not None else np.full(len(data), -1, np.int64)
                if part == "train" and folds is not None:
                    with open(self._path(self.folds_list_file)) as file:
                        chosen = np.array(file.read().splitlines()[folds].split(), np.int64)
                    data, y = data[chosen], y[chosen]
                images.append(data)
                labels.append(y)
        self.data, self.labels = np.concatenate(images), np.concatenate(labels)
        self.classes = None
        if os.path.isfile(self._path(self.class_names_file)):
            with open(self._path(self.class_names_file)) as file:
                self.classes = file.read().splitlines()

    def _path(self, name: str) -> str:
        return os.path.join(self.root, self.base_folder, name)

    def _images(self, name: str) -> Any:
        """Images stand column by column in the file."""
        import numpy as np

        pixels = np.fromfile(self._path(name), np.uint8)
        if pixels.size % (3 * 96 * 96):
            raise RuntimeError(f"{self._path(name)} is corrupted: its length is not that of images of 3x96x96")
        return pixels.reshape(-1, 3, 96, 96).transpose((0, 1, 3, 2))

    def _check_integrity(self) -> bool:
        return all(check_integrity(self._path(name), md5) for name, md5 in self.train_list + self.test_list)

    def download(self) -> None:
        """Fetches and unpacks the archive, unless all files are there and whole."""
        if not self._check_integrity():
            _fetch(self.url, self.root, self.filename, self.tgz_md5, download_and_extract_archive)


class USPS(VisionDataset):
    """Digits from envelopes, 16x16 in gray: 7,291 to learn from and 2,007 to test.

    Args:
        root: the folder that holds usps.bz2 and usps.t.bz2.
        train: which of the two.
        transform, target_transform: functions of the PIL image and of the class.
        download: fetch what is missing.

    `data`, a NumPy array (n, 16, 16) of uint8, and `targets`, a list, are its attributes.

    Raises:
        FileNotFoundError: the file is not there.
        RuntimeError: it is damaged, or could not be loaded.

    >>> data = torch.vision.datasets.USPS("data", train=False, download=True)  # doctest: +SKIP
    >>> data.data.shape  # doctest: +SKIP
    (2007, 16, 16)

    Source: Hull, A database for handwritten text recognition research, 1994
    """

    split_list = {
        part: [f"https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/{name}", name, md5]
        for part, name, md5 in (
            ("train", "usps.bz2", "ec16c51db3855ca6c91edd34d0e9b197"),
            ("test", "usps.t.bz2", "8ea070ee2aca1ac39742fdd1ef5ed118"),
        )
    }

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
        url, name, md5 = self.split_list["train" if train else "test"]
        path = os.path.join(self.root, name)
        if download:
            _fetch(url, self.root, name, md5)
        with bz2.open(path, "rt") as file:  # "label place:value place:value ...", from -1 to 1
            rows = [line.split() for line in file]
        try:
            values = np.array([[v.partition(":")[2] for v in row[1:]] for row in rows], np.float32)
            self.data = ((values.reshape(-1, 16, 16) + 1) / 2 * 255).astype(np.uint8)
            self.targets = [int(float(row[0])) - 1 for row in rows]
        except (ValueError, IndexError) as error:
            raise RuntimeError(f"{path} is corrupted: {error}. Delete it and load it again") from None

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(pillow().fromarray(self.data[index]), self.targets[index])

    def __len__(self) -> int:
        return len(self.data)
