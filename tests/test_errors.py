"""The mistakes that learners make: PyTorch's exception and key words, and never a crash."""

import warnings

import numpy
import pytest

from .conftest import CANDIDATE, torch

a = torch.zeros(2, 3)
b = torch.zeros(2, 3)
F = torch.nn.functional

# expression: (exception, pattern with PyTorch's key words)
MISTAKES = {
    # shapes
    "a @ b": (RuntimeError, "mat1 and mat2 shapes cannot be multiplied.*2x3 and 2x3"),
    "a + torch.zeros(4)": (RuntimeError, r"size of tensor a \(3\) must match the size of tensor b \(4\).*dimension 1"),
    "torch.dot(a, b)": (RuntimeError, "1D tensors expected"),
    "torch.bmm(a, b)": (RuntimeError, "3D tensor"),
    "torch.mm(a, torch.zeros(3))": (RuntimeError, "must be a matrix"),
    "torch.nn.Linear(3, 2)(torch.zeros(2, 4))": (RuntimeError, "shapes cannot be multiplied|in_features"),
    "a.long().renorm(2, 0, 1)": (RuntimeError, "floating point or complex tensor as input. Got Long"),
    "a.renorm(2j, 0, 1)": (RuntimeError, "p must be real-valued"),
    "a.repeat(-1, 2)": (RuntimeError, "negative dimension"),
    "a.repeat(1, 2**62)": (RuntimeError, "(?i)negative dimension|overflow"),
    "a.expand(2**62, 2, 3)": (RuntimeError, "numel: integer multiplication overflow"),
    "a.split([2**63 - 1, 1])": (RuntimeError, "sum exactly to 2"),
    "a.as_strided((5,), (2**62,))": (RuntimeError, "out of bounds for storage"),
    "a.diag_embed(2**63 - 1)": (RuntimeError, "offset|overflow|large|invalid"),
    "F.pixel_shuffle(torch.zeros(1, 4, 2, 2), 2**62)": (RuntimeError, "divisible by"),
    "F.adaptive_avg_pool2d(torch.zeros(1, 4, 2, 2), 2**62)": (RuntimeError, "output_size|overflow|invalid|large"),
    "a.reshape(4, 2)": (RuntimeError, r"shape '\[4, 2\]' is invalid for input of size 6"),
    "a.view(5)": (RuntimeError, r"shape '\[5\]' is invalid for input of size 6"),
    "a.view(3, 2).t().view(6)": (RuntimeError, r"view size is not compatible.*reshape"),
    "torch.cat([a, torch.zeros(2, 4)])": (RuntimeError, "Sizes of tensors must match except in dimension 0"),
    "torch.cat([])": (ValueError, "non-empty list"),
    "torch.stack([a, torch.zeros(3)])": (RuntimeError, "stack expects each tensor to be equal size"),
    "torch.stack([])": (RuntimeError, "non-empty"),
    "a.expand(3, 3)": (RuntimeError, r"expanded size of the tensor \(3\) must match the existing size \(2\)"),
    "torch.broadcast_to(a, (4, 3))": (RuntimeError, "must match the existing size"),
    "a.permute(0)": (RuntimeError, "number of dimensions"),
    "a.unflatten(0, (3, 3))": (RuntimeError, "multiply up to"),
    "a.repeat(2)": (RuntimeError, "repeat dims can not be smaller"),
    "torch.einsum('ij,jk', a, b)": (RuntimeError, "subscript j has size"),
    "a.copy_(torch.zeros(5))": (RuntimeError, "must match"),
    "torch.zeros(-1)": (RuntimeError, "negative"),
    "torch.eye(-1)": (RuntimeError, "-1"),
    "torch.randperm(-1)": (RuntimeError, "negative"),
    "a.as_strided((9, 9), (1, 1))": (RuntimeError, "out of bounds for storage"),
    # a number where PyTorch wants a tensor
    "torch.exp(2)": (TypeError, r"argument 'input' \(position 1\) must be Tensor, not int"),
    "torch.sqrt(2.0)": (TypeError, "must be Tensor, not float"),
    "torch.maximum(a, 0)": (TypeError, r"argument 'other' \(position 2\) must be Tensor, not int"),
    "a.minimum(1.5)": (TypeError, "must be Tensor, not float"),
    "torch.atan2(a, 2)": (TypeError, r"argument 'other' \(position 2\) must be Tensor, not int"),
    "torch.atan2(2, a)": (TypeError, "must be Tensor, not int"),
    "torch.logical_and(a, True)": (TypeError, "must be Tensor, not bool"),
    "torch.gcd(a, 2)": (TypeError, "must be Tensor, not int"),
    "torch.eq(2, a)": (TypeError, "int"),
    "torch.fmod(2, a)": (TypeError, "int"),
    "torch.remainder(2, 3)": (TypeError, "int"),
    "torch.bitwise_and(2, 3)": (TypeError, "int"),
    "torch.special.zeta(2, 3)": (TypeError, "int"),
    "torch.clamp_min(2, 3)": (TypeError, "int"),
    "torch.where(True, a, b)": (TypeError, "bool"),
    "torch.nn.functional.relu(2)": (TypeError, "must be Tensor, not int"),
    # out=
    "torch.take(w, torch.arange(4), out=w)": (RuntimeError, "single memory location"),
    "torch.index_select(w, 0, torch.arange(4), out=w)": (RuntimeError, "single memory location"),
    "torch.masked_select(w, w > 9, out=w)": (RuntimeError, "single memory location"),
    "torch.cat([w, w], out=w)": (RuntimeError, "single memory location"),
    "torch.kthvalue(w, 1, out=(w, torch.zeros(4, dtype=torch.int64)))": (RuntimeError, "single memory location"),
    "torch.cat([a, b], out=torch.from_numpy(numpy.zeros((2, 3))))": (RuntimeError, "not resizable"),
    "torch.gather(a, 1, torch.zeros(2, 2, dtype=torch.int64), out=torch.zeros(2, 2).double())": (RuntimeError, "dtype"),
    # a loss that is called where it should be made
    "torch.nn.MSELoss(a, b)": (RuntimeError, "Boolean value of Tensor with more than one value is ambiguous"),
    "torch.nn.CrossEntropyLoss(a, torch.tensor([0, 1]))": (RuntimeError, "Boolean value of Tensor"),
    "torch.nn.BCEWithLogitsLoss()(a, b.long())": (RuntimeError, "result type Float can't be cast"),
    # double data in a float model
    "torch.nn.BatchNorm1d(3)(a.double())": (RuntimeError, "mixed dtype"),
    "torch.nn.LayerNorm(3)(a.double())": (RuntimeError, "mixed dtype"),
    "torch.nn.GroupNorm(1, 3)(a.double())": (RuntimeError, "mixed dtype"),
    # parts, weights, steps
    "torch.complex(a, b.double())": (RuntimeError, "Expected object of scalar type Float but got scalar type Double"),
    "torch.complex(a, b.int())": (RuntimeError, "Expected both inputs to be Half, Float or Double"),
    "torch.polar(a, b.double())": (RuntimeError, "Expected object of scalar type Float but got scalar type Double"),
    "torch.cov(w, fweights=torch.ones(4))": (RuntimeError, "expected fweights to have integral dtype"),
    "torch.cov(w, aweights=-torch.ones(4))": (RuntimeError, "aweights cannot be negative"),
    "torch.cov(w, aweights=torch.zeros(4))": (RuntimeError, "weights sum to zero"),
    "torch.arange(0, 4, 0.5, dtype=torch.int64)": (ValueError, "step must be nonzero"),
    "torch.hsplit(torch.zeros(4, 4), 'abc')": (TypeError, "hsplit"),
    # indices and dimensions
    "a[5]": (IndexError, "index 5 is out of bounds for dimension 0 with size 2"),
    "a[:, 7]": (IndexError, "index 7 is out of bounds for dimension 1 with size 3"),
    "a[0, 0, 0]": (IndexError, "too many indices for tensor of dimension 2"),
    "torch.tensor(3)[0]": (IndexError, "invalid index of a 0-dim tensor"),
    "a[1.5]": (IndexError, "only integers, slices"),
    "a['x']": (TypeError, "str"),
    "a[::-1]": (ValueError, "step must be greater than zero"),
    "torch.zeros(3)[torch.tensor([5])]": (IndexError, "index 5 is out of bounds for dimension 0 with size 3"),
    "a[torch.zeros(3, dtype=torch.bool)]": (IndexError, r"shape of the mask \[3\].*does not match"),
    "a.index_select(0, torch.tensor([9]))": (IndexError, "out of range"),
    "torch.gather(a, 1, torch.zeros(2, 2))": (RuntimeError, "int64"),
    "torch.ones(3).scatter_(0, torch.tensor([9]), 1.0)": (RuntimeError, "index 9 is out of bounds for dimension 0"),
    "a.sum(5)": (IndexError, r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 5\)"),
    "a.transpose(0, 5)": (IndexError, "Dimension out of range"),
    "a.unsqueeze(5)": (IndexError, "Dimension out of range"),
    "torch.cumsum(a, 4)": (IndexError, "Dimension out of range"),
    "a.topk(9)": (RuntimeError, "out of range"),
    "a.kthvalue(9)": (RuntimeError, "out of range"),
    "a.narrow(0, 1, 5)": (RuntimeError, r"exceeds dimension size \(2\)"),
    "a.split(0)": (RuntimeError, "split_size"),
    "a.chunk(0)": (RuntimeError, "greater than 0"),
    "torch.max(torch.zeros(0))": (RuntimeError, "reduction dim"),
    "torch.argmax(torch.zeros(0))": (IndexError, "reduction dim"),
    # dtypes
    "torch.ones(2, dtype=torch.int64) @ torch.ones(2)": (RuntimeError, "same dtype"),
    "F.softmax(torch.tensor([1, 2]), 0)": (NotImplementedError, "not implemented for 'Long'"),
    "torch.tensor([1, 2]).div_(2)": (RuntimeError, "result type Float can't be cast to the desired output type Long"),
    "a.masked_fill(a, 1.0)": (RuntimeError, "boolean mask"),
    "torch.where(a, a, a)": (RuntimeError, "bool"),
    "~torch.ones(2)": (TypeError, "integer and Boolean"),
    "torch.ones(2) & torch.ones(2)": (NotImplementedError, "not implemented for 'Float'"),
    "-torch.tensor([True])": (RuntimeError, "Negation.*bool"),
    "torch.tensor([True]) - torch.tensor([True])": (RuntimeError, "Subtraction.*bool"),
    "torch.norm(torch.ones(3, dtype=torch.int64))": (RuntimeError, "floating point"),
    "torch.set_default_dtype(torch.int32)": (TypeError, "floating-point"),
    # shapes that differ in two axes: the last of them is named
    "torch.zeros(3, 4, 5) + torch.zeros(2, 4, 6)": (RuntimeError, r"tensor a \(5\).*tensor b \(6\) at non-singleton dimension 2"),
    "torch.zeros(3, 4).expand(2, 5, 6)": (RuntimeError, r"size of the tensor \(6\).*existing size \(4\) at non-singleton dimension 2"),
    "torch.einsum('ab,bc', a, torch.zeros(4, 5))": (RuntimeError, r"einsum\(\): subscript b has size 4 for operand 1"),
    # products of two dtypes
    "F.linear(a.double(), torch.zeros(4, 3))": (RuntimeError, "m1 and m2 to have the same dtype, but got: double != float"),
    "torch.nn.Linear(3, 4)(a.double())": (RuntimeError, "mat1 and mat2 must have the same dtype, but got Double and Float"),
    "torch.addmm(torch.zeros(4), a, torch.zeros(3, 4).double())": (RuntimeError, "self and mat2 must have the same dtype, but got Float and Double"),
    "torch.zeros(5, 2, 3) @ torch.zeros(5, 3, 4).double()": (RuntimeError, "expected scalar type Float but found Double"),
    "torch.mv(a, torch.zeros(3).double())": (RuntimeError, "same dtype, but got Double, Float, and Double"),
    "F.conv1d(a.double(), torch.zeros(1, 2, 3), torch.zeros(1))": (RuntimeError, r"Input type \(double\) and bias type \(float\) should be the same"),
    # bool and alpha
    "3 - (a == 0)": (RuntimeError, "Subtraction, the `-` operator, with a bool tensor is not supported"),
    "a.sub_(a == 0)": (RuntimeError, "with a bool tensor is not supported"),
    "a - True": (RuntimeError, "with a bool tensor is not supported"),
    "(a == 0) - (a == 0)": (RuntimeError, "with two bool tensors is not supported"),
    "(a == 0) ** (a == 0)": (NotImplementedError, "not implemented for 'Bool'"),
    "torch.add(a.long(), a.long(), alpha=0.5)": (RuntimeError, "For integral input tensors, argument alpha must not be a floating"),
    "torch.add(a, a, alpha=True)": (RuntimeError, "Boolean alpha only supported for Boolean results"),
    "torch.add(a, a, alpha=1j)": (RuntimeError, "argument alpha must not be a complex number"),
    "torch.lerp(a.long(), a.long(), 0.5)": (NotImplementedError, "not implemented for 'Long'"),
    "(a + 1j).abs_()": (RuntimeError, "In-place abs is not supported for complex tensors"),
    "a.long().bitwise_and_(a)": (RuntimeError, "result type Float can't be cast"),
    # values that a dtype does not hold
    "a.char().fill_(200)": (RuntimeError, "cannot be converted to type int8_t without overflow"),
    "a.char().clamp(max=300)": (RuntimeError, "cannot be converted to type int8_t without overflow"),
    "a.byte().__setitem__(0, 300)": (RuntimeError, "cannot be converted to type uint8_t without overflow"),
    "a.long().__setitem__(0, float('nan'))": (RuntimeError, "cannot be converted to type int64_t without overflow"),
    "a.__setitem__(0, 1j)": (RuntimeError, "without overflow"),
    "a.fill_(1e300)": (RuntimeError, "cannot be converted to type float without overflow"),
    "torch.tensor([300], dtype=torch.uint8)": (RuntimeError, "cannot be converted to type uint8 without overflow"),
    "torch.tensor([float('nan')], dtype=torch.int64)": (RuntimeError, "cannot be converted to type int64 without overflow"),
    "torch.tensor([1e20], dtype=torch.int64)": (RuntimeError, "cannot be converted to type int64 without overflow"),
    "torch.tensor(2**63)": (ValueError, "Overflow when unpacking long long"),
    "a + 2**64": (OverflowError, "int too big to convert"),
    # memory that is written and read
    "a[0].add_(a[0, 0])": (RuntimeError, "refer to a single memory location"),
    "a.view(-1)[1:].mul_(a.view(-1)[:-1])": (RuntimeError, "refer to a single memory location"),
    "a.view(-1)[1:].copy_(a.view(-1)[:-1])": (RuntimeError, "refer to a single memory location"),
    "a.view(-1).__setitem__(slice(1, None), a.view(-1)[:-1])": (RuntimeError, "refer to a single memory location"),
    "a.view(-1).index_add_(0, torch.tensor([0, 1]), a.view(-1)[2:4])": (RuntimeError, "refer to a single memory location"),
    "a.view(-1).__setitem__(torch.tensor([0, 1]), a.view(-1)[2:4])": (RuntimeError, "refer to a single memory location"),
    "torch.where(a[0, 1:] > 0, a[0, 1:], b[0, 1:], out=a[0, :2])": (RuntimeError, "refer to a single memory location"),
    # values
    "torch.tensor([[1, 2], [3]])": (ValueError, r"expected sequence of length 2 at dim 1 \(got 1\)"),
    "torch.tensor('a')": (TypeError, "invalid data type 'str'"),
    "torch.tensor([2**70])": ((ValueError, RuntimeError, OverflowError), "[Oo]verflow"),
    "torch.arange(1, 5, 0)": (RuntimeError, "step must be nonzero"),
    "torch.multinomial(torch.tensor([-1.0, 2.0]), 1)": (RuntimeError, "element < 0"),
    "torch.randint(5, 5, (2,))": (RuntimeError, "'from' to be less than 'to'"),
    "torch.quantile(torch.ones(3), 2.0)": (RuntimeError, r"\[0, 1\]"),
    "torch.quantile(a, 0.5, dim=5)": (IndexError, "Dimension out of range"),
    "torch.tensordot(a, a, ([5], [0]))": (IndexError, "Dimension out of range"),
    "torch.rot90(a, 1, (0, 2))": (IndexError, "Dimension out of range"),
    "torch.broadcast_shapes((-1,), (3,))": (ValueError, "negative length"),
    "torch.atleast_2d(3)": (TypeError, "int"),
    "torch.hstack([a, 2])": (TypeError, "expected Tensor as element 1 in argument 0, but got int"),
    "torch.einsum(a, [0, 99])": (ValueError, r"not (in|within) the (valid )?range \[0, 52\)"),
    "torch.cdist(a, a, p=float('nan'))": (RuntimeError, "non-negative p values"),
    "torch.cdist(a, a, compute_mode='x')": (ValueError, "x is not a valid value for compute_mode"),
    "torch.pdist(a, -1)": (RuntimeError, "non-negative p values"),
    "torch.histogram(a, 3, range=(1.0, 0.0))": (RuntimeError, "min should not exceed max"),
    "torch.histogram(a / 0 * 0, 3)": (RuntimeError, "is not finite"),
    "torch.histogram(a, 3, weight=a[0])": (RuntimeError, "weight"),
    "torch.histogram(a.long(), 3)": (NotImplementedError, '"histogramdd" not implemented for'),
    "torch.histogramdd(a, [1, 1, 1], range=[0.0, 1.0])": (RuntimeError, "3-dimensional histogram range should have 6 elements"),
    "torch.embedding_bag(a, torch.tensor([0]), torch.tensor([0]), mode=7)": (RuntimeError, "mode"),
    "F.binary_cross_entropy(a * 0, torch.full((2, 3), 2.0))": (RuntimeError, "all elements of target should be between 0 and 1"),
    "F.cross_entropy(a, torch.tensor([7, 0]))": (IndexError, "Target 7 is out of bounds"),
    "torch.from_numpy([1])": (TypeError, "expected np.ndarray"),
    "a.item()": (RuntimeError, "6 elements cannot be converted to Scalar"),
    "bool(a)": (RuntimeError, "Boolean value of Tensor with more than one value is ambiguous"),
    "int(a)": (ValueError, "only one element tensors can be converted to Python scalars"),
    "len(torch.tensor(1))": (TypeError, "len\\(\\) of a 0-d tensor"),
    "iter(torch.tensor(1))": (TypeError, "iteration over a 0-d tensor"),
    # arguments
    "a + 'x'": (TypeError, "unsupported operand type"),
    "a + None": (TypeError, "unsupported operand type"),
    "torch.add(a)": (TypeError, "add\\(\\)"),
    "torch.add(a, b, c=1)": (TypeError, "unexpected keyword argument 'c'"),
    "torch.zeros('a')": (TypeError, "zeros\\(\\).*str"),
    "torch.zeros(2, dtype='float')": (TypeError, "dtype"),
    "torch.full((2,), 'a')": (TypeError, "fill_value.*Number"),
    "torch.linspace(0, 1)": (TypeError, "linspace\\(\\)"),
    # names and devices
    "torch.flaot32": (AttributeError, "has no attribute 'flaot32'"),
    "a.nosuch": (AttributeError, "'Tensor' object has no attribute 'nosuch'"),
    "torch.device('gpu')": (RuntimeError, "Expected one of cpu, cuda"),
    "a.to('cuda')": ((AssertionError, RuntimeError), "CUDA"),
    # autograd
    "(g * 2).backward()": (RuntimeError, "grad can be implicitly created only for scalar outputs"),
    "a.sum().backward()": (RuntimeError, "does not require grad and does not have a grad_fn"),
    "g.numpy()": (RuntimeError, r"Can't call numpy\(\) on Tensor that requires grad.*detach"),
    "g.add_(1)": (RuntimeError, "a leaf Variable that requires grad is being used in an in-place operation"),
    "torch.tensor([1]).requires_grad_()": (RuntimeError, "floating point"),
    "g.sum().backward(torch.ones(3))": (RuntimeError, "[Mm]ismatch in shape"),
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES)
def test_mistake(text):
    kind, words = MISTAKES[text]
    g = torch.ones(2, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(kind, match=f"(?s){words}"):
            w = torch.zeros(4)
            eval(text, {"torch": torch, "a": a, "b": b, "F": F, "g": g, "w": w, "numpy": numpy})


def test_an_error_leaves_gradients_recorded():
    for text in (
        "torch.nn.Embedding(5, 3, max_norm=1.0)(torch.tensor([7]))",
        "torch.nn.EmbeddingBag(5, 3, max_norm=1.0)(torch.tensor([[7]]))",
        "F.gaussian_nll_loss(a, b, a, eps='a')",
    ):
        with pytest.raises((IndexError, TypeError, RuntimeError)):
            eval(text, {"torch": torch, "a": a, "b": b, "F": F})
        assert torch.is_grad_enabled()


@pytest.mark.parametrize("text", ["torch.meshgrid(a[0], a[1])", "torch.cross(a, a)", "torch.cov(a, correction=5)"])
def test_a_warning_names_the_line_that_called(text):
    with pytest.warns(UserWarning) as caught:
        eval(compile(text, "their.py", "eval"), {"torch": torch, "a": a})
    assert CANDIDATE == "torch" or caught[0].filename == "their.py"


@pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch names a line of its own for some")
@pytest.mark.parametrize(
    "text, words",
    [
        ("torch.cholesky(torch.eye(2))", "torch.cholesky is deprecated in favor of torch.linalg.cholesky"),
        ("torch.qr(torch.eye(2))", "torch.qr is deprecated in favor of torch.linalg.qr"),
        ("torch.lu(torch.eye(2))", "torch.lu is deprecated in favor of torch.linalg.lu_factor"),
        ("torch.triangular_solve(torch.eye(2), torch.eye(2))", "deprecated in favor of torch.linalg.solve_triangular"),
        ("torch.stft(torch.ones(9), 4, return_complex=True)", "A window was not provided. A rectangular window"),
        ("torch.istft(torch.ones(3, 9) + 0j, 4)", "A window was not provided. A rectangular window"),
    ],
)
def test_what_is_said_once_names_the_line_that_called(text, words):
    code = compile(text, "their.py", "eval")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        eval(code, {"torch": torch})  # the first time in this process, or not
        warnings.simplefilter("error")
        eval(code, {"torch": torch})
    torch.set_warn_always(True)
    try:
        with pytest.warns(UserWarning, match=words) as caught:
            eval(code, {"torch": torch, "__name__": "their"})
    finally:
        torch.set_warn_always(False)
    assert caught[0].filename == "their.py"


def test_assignment_of_a_wrong_shape():
    x = torch.zeros(2, 3)
    with pytest.raises(RuntimeError, match=r"\(7\)|\[7\]"):
        x[0] = torch.zeros(7)
    with pytest.raises(IndexError, match="out of bounds"):
        x[4] = 1


if CANDIDATE != "torch":
    # What the messages say beyond PyTorch's: the shapes and what to do.
    HINTS = {
        "a @ b": r"\(2, 3\)|transpose|\.T",
        "torch.nn.Linear(3, 2)(torch.zeros(2, 4))": "in_features",
        "torch.flaot32": "[Dd]id you mean.*float32",
        "a.rehsape(6)": "[Dd]id you mean.*reshape",
        "a.char().fill_(200)": "type int8_t without overflow: 200$",
        "a.fill_(1e300)": "type float without overflow: 1e\\+300$",
        "a.long().fill_(float('nan'))": "type int64_t without overflow: -?nan$",
        "torch.sparse_coo_tensor": "no sparse tensors.*index_put_",
        "torch.sparse.mm": "no sparse tensors.*torch.mm",
        "a.to_sparse()": "no sparse tensors.*dense",
        "torch.chain_matmul(a, b[0])": r"Tensor dimension is 1, expected 2 instead \(matrix 1\)",
    }

    @pytest.mark.filterwarnings("ignore:torch.chain_matmul is deprecated")
    @pytest.mark.parametrize("text", HINTS)
    def test_hint(text):
        with pytest.raises((RuntimeError, AttributeError), match=f"(?s){HINTS[text]}"):
            eval(text, {"torch": torch, "a": a, "b": b})

    def test_integers_have_a_mean():
        x = torch.tensor([[1, 2, 3], [4, 5, 6]])
        assert x.mean().item() == 3.5 and x.mean().dtype == torch.float32
        assert abs(x.std().item() - 1.8708287) < 1e-6


@pytest.mark.parametrize("data", [[1, [2]], [1.0, [2]], [[1], 2], [[1, 2], [3, [4]]], [1, (2,)]])
def test_a_number_beside_a_list_is_a_type_error(data):
    with pytest.raises(TypeError):
        torch.tensor(data)
    with pytest.raises(ValueError, match="expected sequence of length"):
        torch.tensor([data[:1], data + data])


def test_numbers_at_the_edge_of_int64():
    with pytest.raises(RuntimeError, match="overflow"):
        torch.empty_permuted((4, 2**62, 4), (0, 1, 2))
    with pytest.raises(RuntimeError):
        torch.lstm(
            torch.ones(2, 1, 1), [torch.ones(1, 1, 1)] * 2, [torch.ones(4, 1)] * 4, True, 2**62, 0.0, False, True, False
        )


@pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch takes no number below -2**62 here")
def test_roll_by_the_smallest_number():
    assert torch.roll(torch.arange(5), -(2**63), 0).tolist() == torch.roll(torch.arange(5), -(2**63) % 5, 0).tolist()
    x, w = torch.zeros(2, 3, requires_grad=True), torch.arange(6.0).reshape(2, 3)
    (torch.roll(x, -(2**63)) * w + torch.roll(x, -(2**63), 1) * w).sum().backward()
    assert x.grad.equal(torch.roll(w, 2**63 % 6) + torch.roll(w, 2**63 % 3, 1))
