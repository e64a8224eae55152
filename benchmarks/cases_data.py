"""Loading data: an epoch of a DataLoader, with and without workers."""

from .cases import Case

SETUP = """
from importlib import import_module
data = import_module(torch.__name__ + ".utils.data")
torch.manual_seed(0)
x = torch.rand(10000, 784); y = torch.randint(0, 10, (10000,))
class Scaled(data.Dataset):
    def __len__(self):
        return len(x)
    def __getitem__(self, i):
        return x[i] * 2 - 1, y[i]
class Pictures(data.Dataset):
    def __len__(self):
        return 512
    def __getitem__(self, i):
        return torch.full((3, 224, 224), float(i)), i
def begin(worker):
    pass
def epoch():
    for batch in loader:
        pass
loader = data.DataLoader({arguments})
"""

# name: (arguments, target)
LOADERS = {
    "DataLoader of a TensorDataset, 10000x784": ("data.TensorDataset(x, y), 32, shuffle=True", 10.0),
    "the same, two workers": ("data.TensorDataset(x, y), 32, shuffle=True, num_workers=2", 10.0),
    "the same, two workers with an init function": (
        "data.TensorDataset(x, y), 32, shuffle=True, num_workers=2, worker_init_fn=begin",
        1.5,
    ),
    "DataLoader of a Dataset, 10000x784": ("Scaled(), 32, shuffle=True", 1.5),
    "the same Dataset, two workers": ("Scaled(), 32, shuffle=True, num_workers=2", 1.5),
    "the same Dataset, two persistent workers": (
        "Scaled(), 32, shuffle=True, num_workers=2, persistent_workers=True",
        1.5,
    ),
    "512 pictures of 3x224x224, two workers": ("Pictures(), 16, num_workers=2", 1.5),
}


def cases() -> list[Case]:
    """An epoch of each."""
    return [
        Case(f"{name}, an epoch", "data", SETUP.replace("{arguments}", arguments), "epoch()", target=target)
        for name, (arguments, target) in LOADERS.items()
    ]
