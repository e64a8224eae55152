"""rushlight.distributions against values recorded from PyTorch: samples under the same seed, densities, gradients."""

import json
import math
import warnings
from pathlib import Path

import pytest

from .conftest import torch
from .golden.distribution_cases import DISTRIBUTIONS, PAIRS, evaluate, evaluate_pair

D = torch.distributions
C = D.constraints
GOLDEN = json.loads((Path(__file__).parent / "golden" / "distributions.json").read_text())
# PyTorch's gradients of gamma and beta draws come from approximations that are right to about four digits, and its
# Bessel functions to seven.
COARSE = {"rsample": 2e-3, "VonMises": 2e-5}
GAMMA_FIRST = ["0x1.24b20c0000000p+0", "0x1.01b1f00000000p+2"]
BETA_FIRST = ["0x1.2a421c0000000p-2", "0x1.e0e7f60000000p-5"]
ERRORS = [
    (lambda: D.Normal(0.0, -1.0), r"Expected parameter scale .* to satisfy the constraint GreaterThan"),
    (lambda: D.Normal(0.0, 1.0).log_prob(torch.tensor(math.nan)), r"to be within the support \(Real\(\)\)"),
    (lambda: D.Normal(torch.zeros(3), 1.0).log_prob(torch.zeros(2)), "Value is not broadcastable"),
    (lambda: D.Categorical(), "Either `probs` or `logits` must be specified"),
    (lambda: D.Categorical(torch.tensor(0.5)), "at least one-dimensional"),
    (lambda: D.Uniform(1.0, 0.0), "Expected parameter low"),
    (lambda: D.Dirichlet(torch.tensor(1.0)), "at least one-dimensional"),
    (lambda: D.MultivariateNormal(torch.zeros(2)), "Exactly one of covariance_matrix"),
    (lambda: D.MultivariateNormal(torch.zeros(2), torch.ones(2, 2)), "PositiveDefinite"),
    (lambda: D.Independent(D.Normal(0.0, 1.0), 1), "reinterpreted_batch_ndims"),
    (lambda: D.TransformedDistribution(D.Normal(0.0, 1.0), 3), "transforms must be a Transform or list"),
    (lambda: D.ExpTransform(cache_size=3), "cache_size must be 0 or 1"),
]


def close(got, want, tolerance):
    if want is None or got is None:
        return want is got or not any(got or want or [])  # no gradient, or one of zeros
    if isinstance(want, list):
        return len(got) == len(want) and all(close(a, b, tolerance) for a, b in zip(got, want))
    if isinstance(want, float) and (math.isnan(want) or math.isinf(want)):
        return (math.isnan(got) and math.isnan(want)) or got == want
    return got == pytest.approx(want, rel=tolerance, abs=tolerance * 1e-2)


@pytest.mark.parametrize("text", DISTRIBUTIONS)
def test_against_pytorch(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        got = evaluate(torch, text)
    want = GOLDEN[text]
    assert list(got) == list(want)
    tolerance = COARSE["VonMises"] if text.startswith("VonMises") else 1e-7
    for name, expected in want.items():
        if expected == "RuntimeError":  # GeneralizedPareto in float64 mixes dtypes in PyTorch
            continue
        if name == "mode" and text.startswith("Kumaraswamy"):  # nan in PyTorch, though there is one
            continue
        if not isinstance(expected, dict):
            assert got[name] == expected, name
            continue
        assert got[name]["shape"] == expected["shape"], name
        assert close(got[name]["values"], expected["values"], tolerance), name
        if isinstance(expected.get("gradients"), list):
            coarse = COARSE["rsample"] if name == "rsample" else tolerance
            assert close(got[name]["gradients"], expected["gradients"], coarse), f"gradients of {name}"


@pytest.mark.parametrize("pair", PAIRS)
def test_divergence_against_pytorch(pair):
    got, want = evaluate_pair(torch, pair), GOLDEN[pair]
    assert close(got["values"], want["values"], 1e-8)
    assert close(got["gradients"], want["gradients"], 1e-7)


def test_samples_are_pytorchs_bit_for_bit():
    torch.manual_seed(1)
    first = D.Gamma(torch.tensor([0.5, 3.0]), 1.0).sample()
    assert [x.hex() for x in first.tolist()] == GAMMA_FIRST
    torch.manual_seed(1)
    assert [x.hex() for x in D.Beta(torch.tensor([0.5]), 2.0).sample((2,)).flatten().tolist()] == BETA_FIRST


@pytest.mark.parametrize("make, text", ERRORS)
def test_errors(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_not_validating():
    assert D.Normal(0.0, 1.0, validate_args=False).log_prob(torch.tensor(math.nan)).isnan()
    D.Distribution.set_default_validate_args(False)
    try:
        D.Normal(0.0, -1.0)
    finally:
        D.Distribution.set_default_validate_args(True)


def test_enumerating():
    assert D.Categorical(torch.ones(2, 3)).enumerate_support(False).tolist() == [[0], [1], [2]]
    assert D.Binomial(3, 0.5).enumerate_support().tolist() == [0.0, 1.0, 2.0, 3.0]
    assert D.OneHotCategorical(torch.ones(3)).enumerate_support().tolist() == torch.eye(3).tolist()


def test_implicit_gradients_are_those_of_the_quantile():
    """d x / d a where the uniform number behind the draw stays: by differences of the distribution function."""
    a = torch.tensor([0.3, 1.0, 5.0, 40.0, 5.0, 40.0], dtype=torch.float64)
    x = torch.tensor([0.1, 2.0, 4.0, 38.0, 9.0, 55.0], dtype=torch.float64)
    h = 1e-5
    slope = (torch.special.gammainc(a + h, x) - torch.special.gammainc(a - h, x)) / (2 * h)
    density = D.Gamma(a, 1.0).log_prob(x).exp()
    got = (
        torch._C._standard_gamma_grad(a, x)
        if hasattr(torch._C, "_standard_gamma_grad")
        else torch._standard_gamma_grad(a, x)
    )
    assert torch.allclose(got, -slope / density, rtol=1e-3 if torch.__name__ == "torch" else 1e-6)


def test_dirichlet_gradient_keeps_the_sum():
    a = torch.tensor([0.5, 2.0, 7.0], dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(D.Dirichlet(a).rsample((4,)).sum(), a)
    assert g.abs().max() < 1e-9


def test_cached_transform():
    t = D.TanhTransform(cache_size=1)
    x = torch.tensor([0.1, 20.0])
    y = t(x)
    assert t.inv(y) is x
    assert t.inv.inv is t
    assert D.TanhTransform().inv(D.TanhTransform()(x))[1] != 20.0


@pytest.mark.parametrize("name", ["biject_to", "transform_to"])
def test_registries_map_into_the_constraint(name):
    registry = getattr(D, name)
    torch.manual_seed(3)
    kinds = [
        C.positive, C.unit_interval, C.interval(-1.0, 2.0), C.greater_than(3.0), C.less_than(-2.0), C.simplex,
        C.corr_cholesky, C.real_vector, C.cat([C.positive, C.unit_interval], 0, [2, 4]),
        C.stack([C.positive, C.unit_interval], 0),
    ]  # fmt: skip
    for kind in kinds:
        t = registry(kind)
        x = torch.randn(2, 6) if "Stack" in repr(kind) else torch.randn(6)
        y = t(x)
        assert kind.check(y).all(), kind
        assert y.shape == t.forward_shape(x.shape)
        if t.bijective:
            assert torch.allclose(t.inv(y), x, atol=1e-4), kind
    if name == "transform_to":
        for kind in (C.lower_cholesky, C.positive_definite):
            assert kind.check(D.transform_to(kind)(torch.randn(3, 3))).all()


def test_jacobians():
    x = torch.tensor([0.3, -0.4, 1.2], dtype=torch.float64)
    for t in (
        D.ExpTransform(),
        D.SigmoidTransform(),
        D.TanhTransform(),
        D.SoftplusTransform(),
        D.AffineTransform(1.0, -2.0),
    ):
        slope = torch.autograd.functional.jacobian(t, x).diagonal().abs().log()
        assert torch.allclose(t.log_abs_det_jacobian(x, t(x)), slope)
    for t, rows in ((D.StickBreakingTransform(), slice(0, 3)), (D.CorrCholeskyTransform(), None)):
        y = t(x)
        j = torch.autograd.functional.jacobian(t, x)
        j = j[rows] if rows is not None else j[torch.tril_indices(3, 3, -1)[0], torch.tril_indices(3, 3, -1)[1]]
        assert torch.allclose(t.log_abs_det_jacobian(x, y), torch.linalg.slogdet(j)[1])


def test_vae_loss_trains():
    """The usual use: rsample in the loss, kl_divergence beside it."""
    loc = torch.zeros(3, requires_grad=True)
    scale = torch.ones(3, requires_grad=True)
    opt = torch.optim.SGD([loc, scale], lr=0.05)
    path = []
    for _ in range(400):
        q = D.Normal(loc, scale.abs())
        loss = ((q.rsample() - 2) ** 2).sum() + D.kl_divergence(q, D.Normal(0.0, 1.0)).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()
        path.append(loc.detach().clone())
    # The draws keep loc in motion around the minimum: the mean of the last 300 places is what has a limit.
    assert torch.allclose(torch.stack(path[100:]).mean(0), torch.full((3,), 4 / 3), atol=0.1)


def test_own_divergence():
    class Mine(D.Normal):
        pass

    @D.register_kl(Mine, Mine)
    def divergence(p, q):
        return torch.tensor(42.0)

    assert D.kl_divergence(Mine(0.0, 1.0), Mine(0.0, 1.0)) == 42
    assert D.kl_divergence(Mine(0.0, 1.0), D.Normal(0.0, 1.0)) == 0
    with pytest.raises(NotImplementedError, match="p type Gamma and q type Cauchy"):
        D.kl_divergence(D.Gamma(1.0, 1.0), D.Cauchy(0.0, 1.0))


def test_modes_and_checks_of_single_distributions():
    assert D.Dirichlet(torch.tensor([0.5, 1.0, 2.0])).mode.tolist() == [0.0, 0.0, 1.0]
    assert D.Beta(2.0, 3.0).mode == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="must be a Tensor"):
        D.HalfCauchy(1.0).log_prob(0.5)
    shape = torch.Size([3])
    assert type(D.StickBreakingTransform().forward_shape(shape)) is torch.Size
    assert type(D.CorrCholeskyTransform().forward_shape(shape)) is torch.Size
