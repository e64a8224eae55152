"""Recurrent layers: recorded values and gradients, packed sequences, errors."""

import copy
import warnings

import pytest

from rushlight.autograd import gradcheck, gradgradcheck

from . import sequences
from .conftest import torch

nn = torch.nn
rnn = nn.utils.rnn
RECORDED = sequences.names(
    "recurrent", "with_state", "packed", "many_rows", "projection", "dropout_between_layers", "one_sequence", "cell"
)


@pytest.mark.parametrize("name", RECORDED)
def test_values_and_gradients(name):
    sequences.check(name)


@pytest.mark.parametrize("name", sequences.names("training_curve_of_a_language_model"))
def test_training_curve(name):
    sequences.check(name, 1e-4)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("lengths", [None, [3, 2, 1]])
def test_second_derivatives(kind, bidirectional, lengths):
    torch.manual_seed(0)
    net = getattr(nn, kind)(2, 3, bidirectional=bidirectional, dtype=torch.float64)
    directions = 1 + bidirectional
    f64 = {"dtype": torch.float64, "requires_grad": True}
    x = torch.randn(6, 2, **f64) if lengths else torch.randn(2, 3, 2, **f64)
    state = [torch.randn(directions, 3, 3, **f64) for _ in range(2 if kind == "LSTM" else 1)]
    op = getattr(torch._C, net.mode.lower())

    def function(x, *rest):
        hx, weights = rest[: len(state)], rest[len(state) :]
        hx = hx if kind == "LSTM" else hx[0]
        tail = () if lengths else (False,)
        places = (x, torch.tensor(lengths)) if lengths else (x,)
        return op(*places, hx, weights, True, 1, 0.0, True, bidirectional, *tail)

    inputs = (x, *state, *net.parameters())
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_layer_and_steps_of_its_cell_agree():
    torch.manual_seed(0)
    for kind in ("LSTM", "GRU", "RNN"):
        net, cell = getattr(nn, kind)(3, 5), getattr(nn, kind + "Cell")(3, 5)
        for name, value in cell.named_parameters():
            value.data.copy_(getattr(net, name + "_l0").data)
        x = torch.randn(4, 2, 3)
        out, _ = net(x)
        state = None
        for t in range(4):
            state = cell(x[t], state)
            torch.testing.assert_close(out[t], state[0] if kind == "LSTM" else state)


def test_names_and_printing():
    net = nn.LSTM(10, 20, num_layers=2, proj_size=5, batch_first=True, bidirectional=True)
    assert repr(net) == "LSTM(10, 20, proj_size=5, num_layers=2, batch_first=True, bidirectional=True)"
    assert [k for k in net.state_dict() if "l1" in k][:5] == [
        "weight_ih_l1", "weight_hh_l1", "bias_ih_l1", "bias_hh_l1", "weight_hr_l1",
    ]  # fmt: skip
    assert "weight_ih_l0_reverse" in net.state_dict()
    assert net.weight_ih_l1.shape == (80, 10)
    assert [len(w) for w in net.all_weights] == [5] * 4
    net.flatten_parameters()
    assert repr(nn.RNNCell(3, 4, bias=False, nonlinearity="relu")) == "RNNCell(3, 4, bias=False, nonlinearity=relu)"
    assert repr(nn.GRU(3, 4, bias=False)) == "GRU(3, 4, bias=False)"
    assert nn.RNN(3, 4, 2, "relu").nonlinearity == "relu"
    out, _ = nn.LSTM(3, 4)(torch.randn(2, 1, 3))
    assert "MkldnnRnnLayerBackward0" in str(out.grad_fn)
    out, _ = nn.LSTM(3, 4, batch_first=True)(torch.randn(2, 1, 3))
    assert "TransposeBackward0" in str(out.grad_fn)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_states_say_that_they_are_stacked(kind, layers, bidirectional, packed):
    net = getattr(nn, kind)(3, 4, layers, bidirectional=bidirectional)
    x = torch.randn(5, 2, 3)
    out, states = net(nn.utils.rnn.pack_padded_sequence(x, [5, 3]) if packed else x)
    last = "MkldnnRnnLayer" if kind == "LSTM" else "Stack"
    assert (out.data if packed else out).grad_fn.name() == f"{'Cat' if bidirectional or packed else last}Backward0"
    for state in states if kind == "LSTM" else [states]:
        assert state.grad_fn.name() == "StackBackward0"
        net.zero_grad()
        state.square().sum().backward(retain_graph=True)
        assert net.weight_hh_l0.grad.abs().sum() > 0


def test_copies_and_double_precision():
    net = nn.LSTM(3, 4, 2)
    x = torch.randn(5, 2, 3)
    other = copy.deepcopy(net)
    torch.testing.assert_close(net(x)[0], other(x)[0])
    wide = other.double()(x.double())[0]
    assert wide.dtype == torch.float64
    torch.testing.assert_close(net(x)[0].double(), wide, atol=1e-6, rtol=1e-5)
    assert net.to(torch.bfloat16)(x.bfloat16())[0].dtype == torch.bfloat16


def test_rows_do_not_depend_on_the_batch():
    net = nn.LSTM(8, 16)
    x = torch.randn(6, 16, 8)
    whole = net(x)[0]
    torch.testing.assert_close(whole[:, 3:9], net(x[:, 3:9].contiguous())[0], rtol=0, atol=0)


def gradients_of(net, x, lengths, state, weights):
    """Outputs (zeros after a sequence's end) and the gradients of all there is, from one call of the net."""
    x = x.detach().requires_grad_()
    state = [t.detach().requires_grad_() for t in state]
    net.zero_grad()
    hx = () if not state else (tuple(state) if len(state) == 2 else state[0],)
    if lengths is None:
        out, last = net(x, *hx)
    else:
        packed, last = net(rnn.pack_padded_sequence(x, lengths, net.batch_first), *hx)
        out = rnn.pad_packed_sequence(packed, net.batch_first)[0]
    last = last if isinstance(last, tuple) else (last,)
    sum((t * w).sum() for t, w in zip((out, *last), weights)).backward()
    return [out.detach(), *(t.detach() for t in last), x.grad, *(t.grad for t in state)]


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", ["steps first", "batch first", "packed", "packed, with a state"])
def test_many_sequences_at_once_are_each_by_itself(kind, dtype, form):
    torch.manual_seed(1)
    batch, steps, width, hidden = 40, 9, 24, 44 if dtype == "float64" and kind == "LSTM" else 100
    with_state, f = form.endswith("state"), {"dtype": getattr(torch, dtype)}
    net = getattr(nn, kind)(width, hidden, 2, bidirectional=True, batch_first=form == "batch first", **f)
    lengths = sorted((1 + 5 * b % steps for b in range(batch)), reverse=True) if "packed" in form else None
    shape = (batch, steps) if net.batch_first else (steps, batch)
    x = torch.randn(*shape, width, **f)
    states = 2 if kind == "LSTM" else 1
    state = [torch.randn(4, batch, hidden, **f) for _ in range(states)] if with_state else []
    weights = [torch.randn(*shape, 2 * hidden, **f), *(torch.randn(4, batch, hidden, **f) for _ in range(states))]
    found = gradients_of(net, x, lengths, state, weights)
    of_weights = [p.grad.clone() for p in net.parameters()]

    expected, sums = [], [torch.zeros_like(p) for p in net.parameters()]
    for b in range(batch):
        part, n = slice(b, b + 1), steps if lengths is None else lengths[b]
        own = (part, slice(0, n)) if net.batch_first else (slice(0, n), part)
        expected.append(
            gradients_of(
                net, x[own], None, [t[:, part] for t in state], [weights[0][own]] + [w[:, part] for w in weights[1:]]
            )
        )
        for s, p in zip(sums, net.parameters()):
            s += p.grad
    tolerance = {"rtol": 1e-3, "atol": 1e-4} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-11}
    for i, whole in enumerate(found):
        for b, own in enumerate(e[i] for e in expected):
            by_sequence = net.batch_first and i in (0, states + 1)
            mine = whole[b : b + 1] if by_sequence else whole[: own.shape[0], b : b + 1]
            torch.testing.assert_close(mine, own, **tolerance)
    for mine, own in zip(of_weights, sums):
        torch.testing.assert_close(mine, own, **tolerance)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_threads_change_no_bits(kind, bidirectional):
    torch.manual_seed(2)
    hidden = 100 if kind == "GRU" else 48
    net = getattr(nn, kind)(40, hidden, bidirectional=bidirectional)
    x = torch.randn(9, 37, 40)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 8):
            torch.set_num_threads(threads)
            weights = [torch.ones(9, 37, hidden * (1 + bidirectional)).cumsum(1), *[torch.tensor(1.0)] * 2]
            found.append([*gradients_of(net, x, None, [], weights), *(p.grad.clone() for p in net.parameters())])
    finally:
        torch.set_num_threads(before)
    for other in found[1:]:
        for a, b in zip(found[0], other):
            assert torch.equal(a, b)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_gradients_of_some_weights(kind):
    torch.manual_seed(3)
    net, x = getattr(nn, kind)(24, 100), torch.randn(4, 20, 24)
    net(x)[0].sum().backward()
    expected = {name: p.grad for name, p in net.named_parameters()}
    for wanted in expected:
        for name, p in net.named_parameters():
            p.requires_grad_(name == wanted)
            p.grad = None
        net(x)[0].sum().backward()
        assert torch.equal(dict(net.named_parameters())[wanted].grad, expected[wanted]), wanted
        assert all(p.grad is None for name, p in net.named_parameters() if name != wanted)


def test_part_of_the_results_is_enough_for_backward():
    net = nn.LSTM(3, 4, 2, bidirectional=True)
    x = torch.randn(5, 2, 3, requires_grad=True)
    net(x)[1][1][0].sum().backward()
    assert x.grad.abs().sum() > 0
    for p in net.parameters():
        p.requires_grad_(False)
    x.grad = None
    net(x)[0][-1].sum().backward()
    assert x.grad.abs().sum() > 0


def test_padding_and_packing():
    a, b, c = torch.tensor([1, 2, 3]), torch.tensor([4, 5]), torch.tensor([6])
    assert rnn.pad_sequence([a, b, c]).tolist() == [[1, 4, 6], [2, 5, 0], [3, 0, 0]]
    assert rnn.pad_sequence([c, a], batch_first=True, padding_value=-1, padding_side="left").tolist() == [
        [-1, -1, 6],
        [1, 2, 3],
    ]
    packed = rnn.pack_sequence([a, b, c])
    assert packed.data.tolist() == [1, 4, 6, 2, 5, 3] and packed.batch_sizes.tolist() == [3, 2, 1]
    assert packed.sorted_indices is None
    mixed = rnn.pack_sequence([c, a, b], enforce_sorted=False)
    assert mixed.data.tolist() == [1, 4, 6, 2, 5, 3]
    assert mixed.sorted_indices.tolist() == [1, 2, 0] and mixed.unsorted_indices.tolist() == [2, 0, 1]
    padded, lengths = rnn.pad_packed_sequence(mixed, batch_first=True, padding_value=9, total_length=4)
    assert padded.tolist() == [[6, 9, 9, 9], [1, 2, 3, 9], [4, 5, 9, 9]] and lengths.tolist() == [1, 3, 2]
    assert [t.tolist() for t in rnn.unpack_sequence(mixed)] == [[6], [1, 2, 3], [4, 5]]
    assert [t.tolist() for t in rnn.unpad_sequence(padded, lengths, batch_first=True)] == [[6], [1, 2, 3], [4, 5]]
    wide = packed.to(torch.float64)
    assert wide.data.dtype == torch.float64 and wide.batch_sizes.dtype == torch.int64
    assert packed.to(torch.int64) is packed and packed.double().data.dtype == torch.float64
    assert rnn.PackedSequence(packed.data, packed.batch_sizes).batch_sizes is packed.batch_sizes


def test_packing_has_gradients():
    x = torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True)

    def function(x):
        packed = rnn.pack_padded_sequence(x, [4, 1, 3], batch_first=True, enforce_sorted=False)
        return packed.data, rnn.pad_packed_sequence(packed)[0]

    assert gradcheck(function, (x,))


def test_packing_errors():
    x = torch.randn(2, 3, 1)
    for lengths, words in (
        ([1, 2], "must be sorted in decreasing order"),
        ([2, 0], "has to be greater than 0"),
        ([2], r"Expected `len\(lengths\)` to be equal to batch_size"),
        ([9, 1], "at most 3"),
    ):
        with pytest.raises(RuntimeError, match=words):
            rnn.pack_padded_sequence(x, lengths, batch_first=True)
    packed = rnn.pack_padded_sequence(x, [3, 2], batch_first=True)
    with pytest.raises(ValueError, match="total_length=2 and max sequence length being 3"):
        rnn.pad_packed_sequence(packed, total_length=2)
    with pytest.raises(RuntimeError, match="empty list of sequences"):
        rnn.pad_sequence([])


def test_errors_of_layers():
    net = nn.LSTM(3, 4)
    with pytest.raises(RuntimeError, match=r"input.size\(-1\) must be equal to input_size. Expected 3, got 5"):
        net(torch.randn(2, 1, 5))
    with pytest.raises(ValueError, match="LSTM: Expected input to be 2D or 3D, got 1D instead"):
        net(torch.randn(3))
    with pytest.raises(ValueError, match="does not match weight dtype"):
        net(torch.randn(2, 1, 3, dtype=torch.float64))
    h, c = torch.zeros(1, 1, 4), torch.zeros(1, 2, 4)
    with pytest.raises(RuntimeError, match=r"Expected hidden\[1\] size \(1, 1, 4\), got \[1, 2, 4\]"):
        net(torch.randn(2, 1, 3), (h, c))
    with pytest.raises(RuntimeError, match="hx and cx should also be 3-D"):
        net(torch.randn(2, 1, 3), (h[0], c[0]))
    with pytest.raises(RuntimeError, match=r"Expected hidden size \(1, 1, 4\), got \[1, 1, 3\]"):
        nn.GRU(3, 4)(torch.randn(2, 1, 3), torch.zeros(1, 1, 3))
    with pytest.raises(RuntimeError, match="sequence length to be larger than 0"):
        net(torch.randn(0, 1, 3))
    for kwargs, kind, words in (
        ({"hidden_size": 0}, ValueError, "hidden_size must be greater than zero"),
        ({"hidden_size": 2.5}, TypeError, "hidden_size should be of type int, got: float"),
        ({"num_layers": 0}, ValueError, "num_layers must be greater than zero"),
        ({"dropout": 1.5}, ValueError, "dropout should be a number in range"),
        ({"proj_size": 4}, ValueError, "proj_size has to be smaller"),
    ):
        with pytest.raises(kind, match=words):
            nn.LSTM(**{"input_size": 3, "hidden_size": 4, **kwargs})
    with pytest.raises(ValueError, match="only supported for LSTM"):
        nn.GRU(3, 4, proj_size=2)
    with pytest.raises(ValueError, match="Unknown nonlinearity 'sine'"):
        nn.RNN(3, 4, nonlinearity="sine")
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        nn.GRU(3, 4, dropout=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.GRU(3, 4, num_layers=2, dropout=0.5)
    cell = nn.LSTMCell(3, 4)
    with pytest.raises(RuntimeError, match="input has inconsistent input_size: got 5 expected 3"):
        cell(torch.randn(2, 5))
    with pytest.raises(ValueError, match="Expected input to be 1D or 2D, got 3D instead"):
        cell(torch.randn(2, 2, 3))
    with pytest.raises(RuntimeError, match="batch size"):
        nn.GRUCell(3, 4)(torch.randn(2, 3), torch.zeros(3, 4))
