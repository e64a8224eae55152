"""out= and in-place forms put results straight where they are wanted, and are never wrong about what lies there."""

import pytest

from .conftest import torch

N = 300


def made(seed=0):
    torch.manual_seed(seed)
    return torch.rand(N, N) + 0.1


IN_PLACE = {
    "clamp": lambda x, s: getattr(x, "clamp" + s)(0.3, 0.8),
    "clamp by tensors": lambda x, s: getattr(x, "clamp" + s)(made(1) / 2, made(2)),
    "clamp by its transpose": lambda x, s: getattr(x, "clamp" + s)(min=x.t()) if not s else x.clamp_(min=x.t().clone()),
    "clamp_min": lambda x, s: getattr(x, "clamp_min" + s)(0.5),
    "pow": lambda x, s: getattr(x, "pow" + s)(1.7),
    "pow of itself": lambda x, s: getattr(x, "pow" + s)(x),
    "pow, one row": lambda x, s: getattr(x, "pow" + s)(made(1)[0]),
    "div floor": lambda x, s: getattr(x, "div" + s)(made(1), rounding_mode="floor"),
    "nan_to_num": lambda x, s: getattr(x, "nan_to_num" + s)(),
    "round": lambda x, s: getattr(x, "round" + s)(decimals=2),
    "logit": lambda x, s: getattr(x, "logit" + s)(0.2),
    "float_power": lambda x, s: getattr(x.double(), "float_power" + s)(2.0),
    "tril": lambda x, s: getattr(x, "tril" + s)(3),
    "triu": lambda x, s: getattr(x, "triu" + s)(-3),
    "cumsum": lambda x, s: getattr(x, "cumsum" + s)(1),
    "addmm": lambda x, s: getattr(x, "addmm" + s)(made(1), made(2), beta=0.5, alpha=2.0),
    "addmm, beta 0": lambda x, s: getattr(x, "addmm" + s)(made(1), made(2), beta=0.0),
    "addmm of itself": lambda x, s: getattr(x, "addmm" + s)(x, made(2)),
    "addmv": lambda x, s: getattr(x[0].clone(), "addmv" + s)(made(1), made(2)[0]),
    "addr": lambda x, s: getattr(x, "addr" + s)(made(1)[0], made(2)[0], beta=0.5),
    "addbmm": lambda x, s: getattr(x, "addbmm" + s)(made(1).view(3, 100, N).mT, made(2).view(3, 100, N)),
    "renorm": lambda x, s: getattr(x, "renorm" + s)(2, 0, 1.0),
    "put": lambda x, s: getattr(x, "put" + s)(torch.arange(0, 900, 7), torch.zeros(129, dtype=x.dtype)),
    "put of itself": lambda x, s: getattr(x, "put" + s)(torch.arange(N), x[1] if not s else x[1].clone()),
    "lerp": lambda x, s: getattr(x, "lerp" + s)(made(1), 0.25),
    "addcmul": lambda x, s: getattr(x, "addcmul" + s)(x, x),
    "ldexp": lambda x, s: getattr(x, "ldexp" + s)(x),
    "mvlgamma": lambda x, s: getattr(x + 2, "mvlgamma" + s)(2),
    "scatter": lambda x, s: getattr(x, "scatter" + s)(1, torch.arange(N).flip(0).expand(N, N), x.clone()),
}
LAYOUTS = {
    "contiguous": lambda x: x,
    "transposed": lambda x: x.t(),
    "every other": lambda x: torch.stack([x, x], 2).view(N, 2 * N)[:, ::2],
    "double": lambda x: x.double(),
}


ONE_DTYPE = [form for form in IN_PLACE if "addm" in form or form in ("addbmm", "clamp by its transpose")]
CASES = [(form, layout) for form in IN_PLACE for layout in LAYOUTS if layout != "double" or form not in ONE_DTYPE]


@pytest.mark.parametrize(("form", "layout"), CASES)
def test_in_place_is_as_out_of_place(form, layout):
    f, x = IN_PLACE[form], LAYOUTS[layout](made())
    kept = x.clone()
    expected = f(x, "")
    assert torch.equal(x, kept)
    got = f(x, "_")
    assert torch.equal(got, expected.to(got.dtype))
    if form not in ("float_power", "addmv", "mvlgamma"):
        assert got is x


OUT = {
    "add": lambda x, y, **o: torch.add(x, y, **o),
    "add of itself": lambda x, y, **o: torch.add(x, x, **o),
    "mul": lambda x, y, **o: torch.mul(x, 2.0, **o),
    "add a row": lambda x, y, **o: torch.add(x, y[0], **o),
    "clamp": lambda x, y, **o: torch.clamp(x, 0.3, 0.8, **o),
    "pow": lambda x, y, **o: torch.pow(x, y, **o),
    "mm": lambda x, y, **o: torch.mm(x, y, **o),
    "addmm": lambda x, y, **o: torch.addmm(x, y, y, **o),
    "addmm, reversed": lambda x, y, **o: torch.addmm(y, x, y, **o),
    "cumsum": lambda x, y, **o: torch.cumsum(x, 1, **o),
    "softmax": lambda x, y, **o: torch.softmax(x, 1, **o),
    "tril": lambda x, y, **o: torch.tril(x, **o),
    "where": lambda x, y, **o: torch.where(x < y, x, y, **o),
    "lerp": lambda x, y, **o: torch.lerp(x, y, 0.5, **o),
    "logsumexp": lambda x, y, **o: torch.logsumexp(x.view(N, 1, N).expand(N, N, N)[:, :, :3], 2, **o),
    "baddbmm": lambda x, y, **o: torch.addbmm(x, y.view(1, N, N), y.view(1, N, N), **o),
}
PLACES = {
    "contiguous": lambda: torch.full((N, N), -1.0),
    "transposed": lambda: torch.full((N, N), -1.0).t(),
    "every other": lambda: torch.full((N, 2 * N), -1.0)[:, ::2],
    "with a shift": lambda: torch.full((N * N + 3,), -1.0)[3:].view(N, N),
    "empty": lambda: torch.empty(0),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("form", OUT)
def test_out(form, place):
    x, y, out = made(), made(1), PLACES[place]()
    expected, strides = OUT[form](x, y), out.stride()
    got = OUT[form](x, y, out=out)
    assert got is out and torch.equal(out, expected)
    assert torch.equal(x, made()) and torch.equal(y, made(1))
    assert place == "empty" or out.stride() == strides


# What PyTorch gives for the others is undefined.
ELEMENTWISE = [form for form in OUT if form not in ("mm", "baddbmm", "logsumexp") and "addmm" not in form]


@pytest.mark.parametrize("form", ELEMENTWISE)
@pytest.mark.parametrize("which", ["first", "second"])
def test_out_that_is_an_input(form, which):
    x, y = made(), made(1)
    expected = OUT[form](x, y)
    out = x if which == "first" else y
    if form == "add a row" and which == "second":
        with pytest.raises(RuntimeError, match="single memory location"):
            OUT[form](x, y, out=out)
        return
    assert torch.equal(OUT[form](x, y, out=out), expected)


def test_out_that_overlaps_an_input_is_refused_before_anything_is_written():
    x = torch.arange(1000.0)
    for f in (lambda: torch.add(x[1:], 1, out=x[:-1]), lambda: torch.exp(x[:-1], out=x[1:])):
        with pytest.raises(RuntimeError, match="single memory location"):
            f()
        assert torch.equal(x, torch.arange(1000.0))


def test_out_of_another_dtype():
    x, y = made(), made(1)
    out = torch.empty(N, N, dtype=torch.float64)
    assert torch.equal(torch.add(x, y, out=out), (x + y).double())
    whole = torch.zeros(N, N, dtype=torch.int64)
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.add(x, y, out=whole)
    assert not whole.any()


def test_several_results():
    x = made()
    for f in (
        lambda **o: torch.max(x, 1, **o),
        lambda **o: torch.sort(x, 1, **o),
        lambda **o: torch.topk(x, 5, 1, **o),
    ):
        values, indices = f()
        a, b = torch.empty_like(values), torch.empty_like(indices)
        f(out=(a, b))
        assert torch.equal(a, values) and torch.equal(b, indices)
    low, high = torch.empty(N), torch.empty(N)
    torch.aminmax(x, dim=1, out=(low, high))
    assert torch.equal(low, x.amin(1)) and torch.equal(high, x.amax(1))
    torch.aminmax(x, dim=1, out=(high, low))
    assert torch.equal(high, x.amin(1)) and torch.equal(low, x.amax(1))


def test_a_resized_out_is_nobody_elses():
    x = torch.arange(6.0)
    out = torch.empty(0)
    torch.add(x, 0, out=out)
    x += 1
    assert torch.equal(out, torch.arange(6.0))
    source, out = torch.arange(6.0), torch.empty(0)
    torch.index_select(source.view(2, 3), 0, torch.tensor([1]), out=out)
    out += 10
    assert torch.equal(source, torch.arange(6.0))


def test_gradients_are_kept():
    x = made().requires_grad_()
    y = x * 1.0
    y.clamp_(0.3, 0.8).pow_(2.0).tril_()
    y.sum().backward()
    z = made().requires_grad_()
    (z * 1.0).clamp(0.3, 0.8).pow(2.0).tril().sum().backward()
    assert torch.equal(x.grad, z.grad)
    with pytest.raises(RuntimeError, match="automatic differentiation"):
        torch.clamp(x, 0.3, 0.8, out=torch.empty(N, N))


def test_versions_move():
    x = made().requires_grad_()
    y = x * 2
    z = y.exp()
    with torch.no_grad():
        torch.clamp(y, 0, 1, out=z)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()
