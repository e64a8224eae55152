"""What is recorded of rushlight.distributions: distributions as text, over `t` (a float64 leaf), and what is asked.

`evaluate` runs on PyTorch when recording and on rushlight in the tests.
"""

# t([...]) makes a leaf whose gradients are looked at.
DISTRIBUTIONS = """
Normal(t([0.5, -1.0]), t([1.0, 2.5]))
Normal(0.3, 1.2)
Uniform(t([0.0, -1.0]), t([1.0, 2.0]))
Exponential(t([0.5, 3.0]))
Laplace(t([0.5, -1.0]), t([1.0, 2.5]))
Cauchy(t([0.5, -1.0]), t([1.0, 2.5]))
HalfNormal(t([0.7, 2.0]))
HalfCauchy(t([0.7, 2.0]))
LogNormal(t([0.1, 0.4]), t([0.5, 1.0]))
Gumbel(t([0.5, -1.0]), t([1.0, 2.5]))
Gamma(t([0.4, 3.0]), t([1.0, 2.5]))
InverseGamma(t([2.5, 3.0]), t([1.0, 2.5]))
Chi2(t([1.0, 4.0]))
Beta(t([0.5, 2.0]), t([0.7, 3.0]))
Dirichlet(t([[0.5, 1.0, 2.0], [3.0, 1.5, 1.0]]))
StudentT(t([3.0, 5.0]), t([0.5, -1.0]), t([1.0, 2.5]))
FisherSnedecor(t([5.0, 6.0]), t([7.0, 8.0]))
Pareto(t([1.0, 2.0]), t([3.0, 4.0]))
GeneralizedPareto(t([0.0, 1.0, 0.0]), t([1.0, 2.0, 1.0]), t([0.2, -0.3, 0.1]))
Weibull(t([1.0, 2.0]), t([1.5, 0.7]))
Kumaraswamy(t([1.5, 2.0]), t([3.0, 2.5]))
VonMises(t([0.3, -1.0]), t([0.5, 4.0]))
Bernoulli(t([0.2, 0.7]))
Bernoulli(logits=t([0.2, -0.7]))
Geometric(t([0.2, 0.7]))
Geometric(logits=t([0.2, -0.7]))
Binomial(6, t([0.2, 0.7]))
Binomial(6, logits=t([0.2, -0.7]))
NegativeBinomial(t([3.0, 5.0]), t([0.2, 0.7]))
NegativeBinomial(t([3.0, 5.0]), logits=t([0.2, -0.7]))
Poisson(t([0.5, 12.0]))
Categorical(t([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))
Categorical(logits=t([0.2, -0.3, 0.5]))
OneHotCategorical(t([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))
OneHotCategoricalStraightThrough(t([0.2, 0.3, 0.5]))
Multinomial(5, t([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]))
RelaxedBernoulli(t(0.7), t([0.2, 0.7]))
RelaxedOneHotCategorical(t(0.7), t([0.2, 0.3, 0.5]))
ContinuousBernoulli(t([0.2, 0.5, 0.9]))
ContinuousBernoulli(logits=t([0.2, -0.7]))
LogisticNormal(t([0.1, 0.4]), t([0.5, 1.0]))
MultivariateNormal(t([0.5, -1.0]), t([[2.0, 0.3], [0.3, 1.0]]))
MultivariateNormal(t([[0.5, -1.0], [0.0, 1.0]]), precision_matrix=t([[2.0, 0.3], [0.3, 1.0]]))
MultivariateNormal(t([0.5, -1.0]), scale_tril=t([[2.0, 0.0], [0.3, 1.0]]))
LowRankMultivariateNormal(t([0.5, -1.0, 0.0]), t([[2.0], [0.3], [1.0]]), t([0.5, 1.0, 2.0]))
Wishart(t(4.0), t([[2.0, 0.3], [0.3, 1.0]]))
LKJCholesky(3, t(1.5))
Independent(Normal(t([0.5, -1.0]), t([1.0, 2.5])), 1)
MixtureSameFamily(Categorical(t([0.3, 0.7])), Normal(t([0.5, -1.0]), t([1.0, 2.5])))
MixtureSameFamily(Categorical(t([0.3, 0.7])), MultivariateNormal(t([[0.5, -1.0], [0.0, 1.0]]), eye(2)))
TransformedDistribution(Normal(t([0.5, -1.0]), t([1.0, 2.5])), [ExpTransform(), AffineTransform(1.0, 2.0)])
TransformedDistribution(Normal(t([0.5, -1.0]), t([1.0, 2.5])), [StickBreakingTransform()])
TransformedDistribution(Normal(t([0.5, -1.0]), t([1.0, 2.5])), [TanhTransform(), AffineTransform(0.0, -3.0)])
""".strip().splitlines()

PROPERTIES = ("mean", "variance", "stddev", "mode")

PAIRS = """
Bernoulli(t([0.2, 0.7])) Bernoulli(t([0.5, 0.1]))
Bernoulli(t([0.2, 0.7])) Poisson(t([0.5, 1.0]))
Beta(t([0.5, 2.0]), t([0.7, 3.0])) Beta(t([1.5, 1.0]), t([1.7, 2.0]))
Beta(t([0.5, 2.0]), t([0.7, 3.0])) Exponential(t([1.5, 1.0]))
Beta(t([0.5, 2.0]), t([0.7, 3.0])) Gamma(t([1.5, 1.0]), t([1.7, 2.0]))
Beta(t([0.5, 2.0]), t([0.7, 3.0])) Normal(t([1.5, 1.0]), t([1.7, 2.0]))
Beta(t([0.5, 2.0]), t([0.7, 3.0])) Uniform(t([-0.5, 0.5]), t([1.7, 2.0]))
Beta(t([0.5, 2.0]), t([0.7, 3.0])) ContinuousBernoulli(t([0.3, 0.5]))
Beta(t([0.5, 2.0]), t([0.7, 3.0])) Pareto(t([1.5, 1.0]), t([1.7, 2.0]))
Binomial(5, t([0.2, 0.7])) Binomial(5, t([0.5, 0.1]))
Categorical(t([0.2, 0.3, 0.5])) Categorical(t([0.6, 0.3, 0.1]))
Cauchy(t([0.5, 2.0]), t([0.7, 3.0])) Cauchy(t([1.5, 1.0]), t([1.7, 2.0]))
ContinuousBernoulli(t([0.3, 0.5])) ContinuousBernoulli(t([0.4, 0.2]))
ContinuousBernoulli(t([0.3, 0.5])) Exponential(t([0.4, 0.2]))
ContinuousBernoulli(t([0.3, 0.5])) Normal(t([0.4, 0.2]), t([0.4, 0.2]))
Dirichlet(t([0.5, 1.0, 2.0])) Dirichlet(t([1.5, 1.0, 0.7]))
Exponential(t([0.5, 2.0])) Exponential(t([1.5, 1.0]))
Exponential(t([0.5, 2.0])) Gamma(t([1.5, 1.0]), t([1.7, 2.0]))
Exponential(t([0.5, 2.0])) Gumbel(t([1.5, 1.0]), t([1.7, 2.0]))
Exponential(t([0.5, 2.0])) Normal(t([1.5, 1.0]), t([1.7, 2.0]))
Exponential(t([0.5, 2.0])) Uniform(t([1.5, 1.0]), t([1.7, 2.0]))
Gamma(t([0.5, 2.0]), t([0.7, 3.0])) Gamma(t([1.5, 1.0]), t([1.7, 2.0]))
Gamma(t([0.5, 2.0]), t([0.7, 3.0])) Exponential(t([1.5, 1.0]))
Gamma(t([0.5, 2.0]), t([0.7, 3.0])) Gumbel(t([1.5, 1.0]), t([1.7, 2.0]))
Gamma(t([0.5, 2.0]), t([0.7, 3.0])) Normal(t([1.5, 1.0]), t([1.7, 2.0]))
Geometric(t([0.2, 0.7])) Geometric(t([0.5, 0.1]))
Gumbel(t([0.5, 2.0]), t([0.7, 3.0])) Gumbel(t([1.5, 1.0]), t([1.7, 2.0]))
Gumbel(t([0.5, 2.0]), t([0.7, 3.0])) Normal(t([1.5, 1.0]), t([1.7, 2.0]))
HalfNormal(t([0.5, 2.0])) HalfNormal(t([1.5, 1.0]))
Independent(Normal(t([0.5, 2.0]), t([0.7, 3.0])), 1) Independent(Normal(t([1.5, 1.0]), t([1.7, 2.0])), 1)
Laplace(t([0.5, 2.0]), t([0.7, 3.0])) Laplace(t([1.5, 1.0]), t([1.7, 2.0]))
Laplace(t([0.5, 2.0]), t([0.7, 3.0])) Normal(t([1.5, 1.0]), t([1.7, 2.0]))
LogNormal(t([0.5, 2.0]), t([0.7, 3.0])) LogNormal(t([1.5, 1.0]), t([1.7, 2.0]))
MultivariateNormal(t([0.5, 2.0]), t([[2.0, 0.3], [0.3, 1.0]])) MultivariateNormal(t([1.5, 1.0]), t([[1.0, 0.1], [0.1, 3.0]]))
LowRankMultivariateNormal(t([0.5, 2.0]), t([[2.0], [0.3]]), t([0.3, 1.0])) MultivariateNormal(t([1.5, 1.0]), t([[1.0, 0.1], [0.1, 3.0]]))
MultivariateNormal(t([1.5, 1.0]), t([[1.0, 0.1], [0.1, 3.0]])) LowRankMultivariateNormal(t([0.5, 2.0]), t([[2.0], [0.3]]), t([0.3, 1.0]))
LowRankMultivariateNormal(t([0.5, 2.0]), t([[2.0], [0.3]]), t([0.3, 1.0])) LowRankMultivariateNormal(t([1.5, 1.0]), t([[1.0], [0.1]]), t([0.1, 3.0]))
Normal(t([0.5, 2.0]), t([0.7, 3.0])) Normal(t([1.5, 1.0]), t([1.7, 2.0]))
Normal(t([0.5, 2.0]), t([0.7, 3.0])) Gumbel(t([1.5, 1.0]), t([1.7, 2.0]))
Normal(t([0.5, 2.0]), t([0.7, 3.0])) Laplace(t([1.5, 1.0]), t([1.7, 2.0]))
OneHotCategorical(t([0.2, 0.3, 0.5])) OneHotCategorical(t([0.6, 0.3, 0.1]))
Pareto(t([1.5, 2.0]), t([3.7, 3.0])) Pareto(t([1.0, 3.0]), t([1.7, 2.0]))
Pareto(t([1.5, 2.0]), t([3.7, 3.0])) Exponential(t([1.7, 2.0]))
Pareto(t([1.5, 2.0]), t([3.7, 3.0])) Gamma(t([1.0, 3.0]), t([1.7, 2.0]))
Pareto(t([1.5, 2.0]), t([3.7, 3.0])) Normal(t([1.0, 3.0]), t([1.7, 2.0]))
Poisson(t([0.5, 2.0])) Poisson(t([1.5, 1.0]))
Uniform(t([0.2, 2.0]), t([0.7, 3.0])) Uniform(t([-0.5, 1.0]), t([0.8, 2.5]))
Uniform(t([0.2, 0.1]), t([0.7, 0.3])) Beta(t([1.5, 1.0]), t([1.7, 2.0]))
Uniform(t([0.2, 0.1]), t([0.7, 0.3])) Exponential(t([1.5, 1.0]))
Uniform(t([0.2, 0.1]), t([0.7, 0.3])) Gamma(t([1.5, 1.0]), t([1.7, 2.0]))
Uniform(t([0.2, 0.1]), t([0.7, 0.3])) Gumbel(t([1.5, 1.0]), t([1.7, 2.0]))
Uniform(t([0.2, 0.1]), t([0.7, 0.3])) Normal(t([1.5, 1.0]), t([1.7, 2.0]))
Uniform(t([1.2, 1.1]), t([1.7, 1.3])) Pareto(t([0.5, 1.0]), t([1.7, 2.0]))
Wishart(t(4.0), t([[2.0, 0.3], [0.3, 1.0]])) Wishart(t(5.0), t([[1.0, 0.3], [0.3, 2.0]]))
""".strip().splitlines()


def make(torch, text, leaves):
    """The distributions that a line of text describes; their leaves are appended."""

    def t(values):
        leaf = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        leaves.append(leaf)
        return leaf

    scope = {name: getattr(torch.distributions, name) for name in dir(torch.distributions)}
    scope.update(t=t, eye=lambda n: torch.eye(n, dtype=torch.float64))
    return eval(text, scope)


def split(pair):
    """The two distributions of a line of PAIRS."""
    depth = 0
    for i, c in enumerate(pair):
        depth += (c in "([") - (c in ")]")
        if c == " " and not depth and pair[i - 1] == ")":
            return pair[:i], pair[i + 1 :]
    raise ValueError(pair)


def _gradients(torch, value, leaves):
    if not value.requires_grad:
        return None
    finite = torch.where(torch.isfinite(value), value, torch.zeros_like(value))
    try:
        got = torch.autograd.grad(finite.sum(), leaves, allow_unused=True, retain_graph=True)
    except (NotImplementedError, RuntimeError) as e:
        return type(e).__name__
    return [None if g is None else g.reshape(-1).tolist() for g in got]


def evaluate(torch, text):
    """{what was asked: values, shape, ...} of one distribution."""
    out = {}
    leaves = []
    d = make(torch, text, leaves)

    def note(name, f, differentiate=True):
        try:
            torch.manual_seed(7)
            value = f()
        except (NotImplementedError, RuntimeError) as e:
            out[name] = type(e).__name__
            return None
        entry = {"shape": list(value.shape), "values": value.detach().double().reshape(-1).tolist()}
        if differentiate:
            entry["gradients"] = _gradients(torch, value, leaves)
        out[name] = entry
        return value

    out["repr"] = repr(d)
    out["shapes"] = [list(d.batch_shape), list(d.event_shape)]
    sample = note("sample", lambda: d.sample((3,)), False)
    note("rsample", lambda: d.rsample((2,)))
    note("log_prob", lambda: d.log_prob(sample))
    note("cdf", lambda: d.cdf(sample))
    note("icdf", lambda: d.icdf(torch.full(d.batch_shape, 0.3, dtype=torch.float64)))
    note("entropy", d.entropy)
    for name in PROPERTIES:
        note(name, lambda name=name: getattr(d, name))
    note("enumerate_support", d.enumerate_support, False)
    wider = d.expand([2, *d.batch_shape])
    out["expanded"] = [list(wider.batch_shape), list(wider.event_shape)]
    note("expanded log_prob", lambda: wider.log_prob(sample[:1]), False)
    return out


def evaluate_pair(torch, pair):
    """The divergence of a line of PAIRS, and its gradients."""
    leaves = []
    p, q = (make(torch, text, leaves) for text in split(pair))
    value = torch.distributions.kl_divergence(p, q)
    return {"values": value.detach().reshape(-1).tolist(), "gradients": _gradients(torch, value, leaves)}
