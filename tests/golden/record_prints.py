"""Records how PyTorch prints tensors: python -m tests.golden.record_prints (needs PyTorch)."""

import json
from pathlib import Path

EXPRESSIONS = """
torch.tensor(3.14)
torch.tensor(3)
torch.tensor(True)
torch.tensor(1e10)
torch.tensor(float('nan'))
torch.tensor([])
torch.tensor([], dtype=torch.int64)
torch.zeros(0, 3)
torch.zeros(2, 0)
torch.tensor([1, 2, 3])
torch.tensor([1, -200, 3])
torch.tensor([1.0, 2.0])
torch.tensor([0.1, 0.25, 100.0])
torch.tensor([1e-5, 1.0])
torch.tensor([1e-8, 1e8])
torch.tensor([1e5, 1.5])
torch.tensor([1e9, 2e9])
torch.tensor([123456789.0])
torch.tensor([0.00001234])
torch.tensor([float('inf'), 1.0, float('nan'), -float('inf')])
torch.tensor([float('inf'), 1.5])
torch.tensor([float('nan')])
torch.tensor([-0.0, 0.0])
torch.tensor([[1, 2], [3, 4]])
torch.tensor([[1.5, -2.25], [1000.0, 0.0]])
torch.tensor([True, False])
torch.tensor([1, 2], dtype=torch.int32)
torch.tensor([1, 2], dtype=torch.uint8)
torch.tensor([1.0, 2.5], dtype=torch.float64)
torch.tensor([1.0, 2.5], dtype=torch.float16)
torch.tensor([1.0, 2.5], dtype=torch.bfloat16)
torch.tensor([1 + 2j, 3.5 - 1j])
torch.tensor([1 + 2j], dtype=torch.complex128)
torch.tensor(1 + 2j)
torch.arange(12).reshape(3, 4)
torch.arange(12.0).reshape(3, 4)
torch.arange(24).reshape(2, 3, 4)
torch.arange(24.0).reshape(2, 1, 3, 4)
torch.arange(1000)
torch.arange(1001)
torch.arange(2000.0)
torch.zeros(100, 100)
torch.zeros(3, 2000)
torch.arange(10000).reshape(100, 100)
torch.zeros(2, 2, 2, 2)
torch.zeros(20, 30, 40)
torch.arange(40.0)
torch.arange(40)
torch.arange(100) > 50
torch.linspace(0, 1, 30)
torch.rand(3, 4)
torch.randn(3, 3)
torch.randn(20)
torch.randn(5, 5) * 1000
torch.randn(5, 5) * 1e-3
torch.randn(50, 50)
torch.randint(0, 10, (3, 4))
torch.ones(2, requires_grad=True)
torch.ones(2, requires_grad=True) + 1
torch.ones(2, 2, requires_grad=True).sum()
torch.ones(2, requires_grad=True) ** 2
torch.ones(2, 2, requires_grad=True) @ torch.ones(2, 2)
torch.ones(2, 2, requires_grad=True).t()
torch.ones(2, 2, requires_grad=True)[0]
torch.ones(2, dtype=torch.float64, requires_grad=True).exp()
torch.randn(30, 30, requires_grad=True) * 2
torch.nn.Linear(2, 3)
torch.nn.Linear(2, 3, bias=False)
torch.nn.Linear(2, 2).weight
torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
torch.nn.MSELoss()
torch.nn.Parameter(torch.ones(2))
torch.ones(2, 3).shape
torch.ones(2, 3).max(1)
torch.ones(2, 3).sort(1)
torch.finfo(torch.float32)
torch.iinfo(torch.int8)
torch.float64
torch.device('cpu')
torch.strided
torch.contiguous_format
torch.ones(2).T.is_contiguous()
[torch.tensor(1), torch.tensor([2.5])]
{'a': torch.ones(1)}
torch.ones(3).tolist()
torch.eye(3)[torch.tensor([0, 2])]
torch.tensor([[[1.0]]])
torch.full((2, 2), 1e20)
torch.tensor([1e-45])
torch.tensor([3.4028235e38, 1.0])
torch.tensor([2**62, -1])
torch.tensor([1.0000001, 1.0])
torch.tensor([99999.0, 100000.0])
torch.tensor([0.5, 1e3, 1e4])
torch.empty(3, 0, 2).shape
""".strip().splitlines()

OPTIONS = {
    "precision=2": "torch.tensor([1.23456, 100.0])",
    "threshold=5": "torch.arange(10)",
    "edgeitems=1, threshold=5": "torch.arange(20).reshape(4, 5)",
    "linewidth=40": "torch.arange(30.0)",
    "sci_mode=True": "torch.tensor([1.0, 2.0])",
    "sci_mode=False": "torch.tensor([1e-8, 1e8])",
    "profile='full'": "torch.arange(1100)",
    "profile='short'": "torch.randn(4, 4)",
}


def show(torch, expression):
    """The text of `expression`, or of `[options] expression`."""
    options = None
    if expression.startswith("["):
        head, _, tail = expression.partition("] ")
        if tail.startswith("torch."):
            options, expression = head[1:], tail
    torch.manual_seed(0)
    try:
        if options:
            torch.set_printoptions(**eval(f"dict({options})"))
        return repr(eval(expression, {"torch": torch}))
    finally:
        torch.set_printoptions(profile="default")


def main():
    import torch

    names = [*EXPRESSIONS, *(f"[{o}] {e}" for o, e in OPTIONS.items())]
    path = Path(__file__).with_name("prints.json")
    path.write_text(json.dumps({n: show(torch, n) for n in names}, indent=0) + "\n")
    print(f"{path.name}: {len(names)} texts")


if __name__ == "__main__":
    main()
