"""Data sets that are folders of files, one folder a class."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rushlight.vision._pillow import pillow
from rushlight.vision.datasets.vision import VisionDataset

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "DatasetFolder",
    "ImageFolder",
    "default_loader",
    "find_classes",
    "has_file_allowed_extension",
    "is_image_file",
    "make_dataset",
    "pil_loader",
]

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def has_file_allowed_extension(filename: str, extensions: Any) -> bool:
    """Whether a name, in upper or lower case, ends with one of these, which are in lower case.

    >>> has_file_allowed_extension("A.JPG", (".jpg", ".png"))
    True
    """
    return filename.lower().endswith(extensions if isinstance(extensions, str) else tuple(extensions))


def is_image_file(filename: str) -> bool:
    """Whether a name ends like an image's.

    >>> is_image_file("cat.webp"), is_image_file("cat.txt")
    (True, False)
    """
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def find_classes(directory: Any) -> tuple[list[str], dict[str, int]]:
    """The folders in a folder, sorted, and the number of each.

    Raises:
        FileNotFoundError: there is no folder in it.

    >>> import os
    >>> for name in ("animals/dog", "animals/cat"):
    ...     os.makedirs(name)
    >>> find_classes("animals")
    (['cat', 'dog'], {'cat': 0, 'dog': 1})
    """
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(
    directory: Any,
    class_to_idx: dict[str, int] | None = None,
    extensions: Any = None,
    is_valid_file: Callable[[str], bool] | None = None,
    allow_empty: bool = False,
) -> list[tuple[str, int]]:
    """The files below each class's folder, sorted, each with the number of its class.

    Args:
        directory: the folder of the class folders.
        class_to_idx: by default that of `find_classes`.
        extensions, is_valid_file: which files count: one of the two.
        allow_empty: whether a class may have no file.

    Raises:
        ValueError: both or none of `extensions` and `is_valid_file`; an empty `class_to_idx`.
        FileNotFoundError: a class without files.

    >>> import os
    >>> os.makedirs("data/cat")
    >>> open("data/cat/1.png", "w").close()
    >>> make_dataset("data", extensions=(".png",))
    [('data/cat/1.png', 0)]
    """
    directory = os.path.expanduser(directory)
    if class_to_idx is None:
        _, class_to_idx = find_classes(directory)
    elif not class_to_idx:
        raise ValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("Both extensions and is_valid_file cannot be None or not None at the same time")

    def valid(path: str) -> bool:
        return is_valid_file(path) if is_valid_file is not None else has_file_allowed_extension(path, extensions)

    found: list[tuple[str, int]] = []
    empty = []
    for name in sorted(class_to_idx):
        before = len(found)
        for folder, _, files in sorted(os.walk(os.path.join(directory, name), followlinks=True)):
            paths = (os.path.join(folder, file) for file in sorted(files))
            found += [(path, class_to_idx[name]) for path in paths if valid(path)]
        if len(found) == before:
            empty.append(name)
    if empty and not allow_empty:
        message = f"Found no valid file for the classes {', '.join(empty)}. "
        if extensions is not None:
            names = extensions if isinstance(extensions, str) else ", ".join(extensions)
            message += f"Supported extensions are: {names}"
        raise FileNotFoundError(message)
    return found


def pil_loader(path: Any) -> Any:
    """An image file as a PIL image in RGB.

    >>> torch.vision.io.write_png(torch.zeros(1, 4, 5, dtype=torch.uint8), "gray.png")
    >>> torch.vision.datasets.folder.pil_loader("gray.png").mode
    'RGB'
    """
    with open(path, "rb") as file:
        return pillow().open(file).convert("RGB")


default_loader = pil_loader


class DatasetFolder(VisionDataset):
    """Files in one folder a class: root/class_x/a.ext, root/class_x/sub/b.ext, root/class_y/c.ext.

    Args:
        root: the folder of the class folders.
        loader: a function of a path that returns a sample.
        extensions, is_valid_file: which files count: one of the two.
        transform, target_transform: functions of the sample and of the class's number.
        allow_empty: whether a class may have no file.

    `classes`, `class_to_idx`, `samples` (path, class) and `targets` are its attributes.

    Raises:
        FileNotFoundError: there are no class folders, or one has no file that counts.
        ValueError: both or none of `extensions` and `is_valid_file`.

    >>> import os
    >>> os.makedirs("words/short")
    >>> _ = open("words/short/a.txt", "w").write("yes")
    >>> data = torch.vision.datasets.DatasetFolder("words", lambda path: open(path).read(), extensions=(".txt",))
    >>> data[0], data.classes
    (('yes', 0), ['short'])

    Reference: https://pytorch.org/vision/stable/generated/torchvision.datasets.DatasetFolder.html
    """

    def __init__(
        self,
        root: Any,
        loader: Callable[[str], Any],
        extensions: tuple[str, ...] | None = None,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        classes, class_to_idx = self.find_classes(self.root)
        self.loader = loader
        self.extensions = extensions
        self.classes = classes
        self.class_to_idx = class_to_idx
        self.samples = self.make_dataset(self.root, class_to_idx, extensions, is_valid_file, allow_empty)
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(
        directory: Any,
        class_to_idx: dict[str, int],
        extensions: Any = None,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> list[tuple[str, int]]:
        """The list of (path, class); for subclasses to override."""
        if class_to_idx is None:
            raise ValueError("The class_to_idx parameter cannot be None.")
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory: Any) -> tuple[list[str], dict[str, int]]:
        """The classes and their numbers; for subclasses to override."""
        return find_classes(directory)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, target = self.samples[index]
        return self._transformed(self.loader(path), target)

    def __len__(self) -> int:
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Images in one folder a class: root/dog/1.png, root/cat/2.jpg. An item is (image, class number).

    Args:
        root: the folder of the class folders.
        transform, target_transform: functions of the PIL image and of the class's number.
        loader: a function of a path; by default it gives a PIL image in RGB.
        is_valid_file: which files count; by default those that end like an image's.
        allow_empty: whether a class may have no file.

    `classes`, `class_to_idx`, `samples` or `imgs` (path, class) and `targets` are its attributes.

    Raises:
        FileNotFoundError: there are no class folders, or one has no image.

    >>> import os
    >>> os.makedirs("pets/cat")
    >>> torch.vision.io.write_png(torch.zeros(3, 8, 8, dtype=torch.uint8), "pets/cat/1.png")
    >>> data = torch.vision.datasets.ImageFolder("pets", transform=torch.vision.transforms.ToTensor())
    >>> image, target = data[0]
    >>> image.shape, data.classes[target]
    (torch.Size([3, 8, 8]), 'cat')

    Reference: https://pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html
    """

    def __init__(
        self,
        root: Any,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        extensions = IMG_EXTENSIONS if is_valid_file is None else None
        super().__init__(root, loader, extensions, transform, target_transform, is_valid_file, allow_empty)
        self.imgs = self.samples
