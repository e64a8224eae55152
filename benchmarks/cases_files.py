"""Files: saving and loading 50 MB in ten tensors, and a model's worth of small ones."""

from .cases import Case

SETUP = """
import io, os, tempfile
torch.manual_seed(0)
folder = tempfile.TemporaryDirectory()
path = os.path.join(folder.name, "x.pth")
state = {{f"layer{{i}}.weight": torch.randn({shape}) for i in range({count})}}
torch.save(state, path)
memory = io.BytesIO()
torch.save(state, memory)
def save_to_memory():
    torch.save(state, io.BytesIO())
def load_from_memory():
    memory.seek(0)
    torch.load(memory)
"""

LARGE = SETUP.format(shape="1000, 1280", count=10)
SMALL = SETUP.format(shape="64, 64", count=200)

STATEMENTS = {
    "save": "torch.save(state, path)",
    "load": "torch.load(path)",
    "load with mmap=True": "torch.load(path, mmap=True)",
    "save to memory": "save_to_memory()",
    "load from memory": "load_from_memory()",
}


def cases() -> list[Case]:
    """Each of them for large and for small tensors. rushlight's `save` waits for the disk, PyTorch's does not."""
    large = [Case(f"{name}, 50 MB", "files", LARGE, statement) for name, statement in STATEMENTS.items()]
    small = [Case(f"{name}, 200 tensors of 16 kB", "files", SMALL, statement) for name, statement in STATEMENTS.items()]
    return large + [case for case in small if not case.name.startswith("save,")]
