"""Training loops as programs write them; the last losses are PyTorch's under the same seed."""

import importlib
import warnings

import pytest

from .conftest import torch

nn = torch.nn
F = nn.functional
D = torch.distributions
prune = importlib.import_module(f"{torch.__name__}.nn.utils.prune")
orthogonal = importlib.import_module(f"{torch.__name__}.nn.utils.parametrizations").orthogonal


def step(opt, loss):
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


def squashed_policy():
    net = nn.Sequential(nn.LazyLinear(32), nn.ReLU(), nn.Linear(32, 4))
    x = torch.randn(8, 3)

    def act():
        mean, log_std = net(x).chunk(2, -1)
        base = D.Normal(mean, log_std.clamp(-5, 2).exp())
        d = D.TransformedDistribution(base, [D.TanhTransform(cache_size=1)])
        a = d.rsample()
        return a, d.log_prob(a).sum(-1)

    act()
    opt = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(30):
        a, log_prob = act()
        opt.zero_grad()
        loss = ((a - 0.5) ** 2).sum() + 0.01 * log_prob.mean()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
    return loss.item()


def clipped_policy_gradient():
    policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 3))
    for m in policy:
        if isinstance(m, nn.Linear):
            nn.init.orthogonal_(m.weight, 2**0.5)
    seen = torch.randn(64, 4)
    d = D.Categorical(logits=policy(seen))
    actions = d.sample()
    old = d.log_prob(actions).detach()
    advantage = torch.randn(64)
    opt = torch.optim.Adam(policy.parameters(), 3e-3)
    for _ in range(20):
        d = D.Categorical(logits=policy(seen))
        ratio = (d.log_prob(actions) - old).exp()
        gain = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
        last = step(opt, -gain - 0.01 * d.entropy().mean())
    return last


def adversaries():
    made = nn.Sequential(nn.Linear(8, 32), nn.LeakyReLU(0.2), nn.Linear(32, 2))
    norm = nn.utils.spectral_norm
    judge = nn.Sequential(norm(nn.Linear(2, 32)), nn.LeakyReLU(0.2), norm(nn.Linear(32, 1)))
    ours = torch.optim.Adam(made.parameters(), 1e-3, betas=(0.5, 0.999))
    theirs = torch.optim.Adam(judge.parameters(), 1e-3, betas=(0.5, 0.999))
    loss = nn.BCEWithLogitsLoss()
    for _ in range(20):
        real = torch.randn(16, 2) + 2
        fake = made(torch.randn(16, 8))
        step(theirs, loss(judge(real), torch.ones(16, 1)) + loss(judge(fake.detach()), torch.zeros(16, 1)))
        last = step(ours, loss(judge(fake), torch.ones(16, 1)))
    return last


def gradient_penalty():
    net = nn.Sequential(
        nn.ReflectionPad2d(1), nn.Conv2d(1, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.SiLU(), nn.Flatten(),
        nn.LazyLinear(1),
    )  # fmt: skip
    images = torch.randn(4, 1, 8, 8, requires_grad=True)
    (g,) = torch.autograd.grad(net(images).sum(), images, create_graph=True)
    ((g.flatten(1).norm(2, 1) - 1) ** 2).mean().backward()
    return net[1].weight.grad.abs().sum().item()


def mixture():
    parts = D.Independent(D.Normal(torch.randn(3, 2), torch.rand(3, 2) + 0.5), 1)
    d = D.MixtureSameFamily(D.Categorical(torch.ones(3)), parts)
    return d.log_prob(d.sample((100,))).mean().item()


def orthogonal_layer():
    m = orthogonal(nn.Linear(8, 8, bias=False))
    opt = torch.optim.SGD(m.parameters(), 0.1)
    x = torch.randn(16, 8)
    for _ in range(10):
        last = step(opt, ((m(x) - x.flip(1)) ** 2).mean())
    return last


def pruned_layer():
    m = nn.Linear(10, 10)
    prune.l1_unstructured(m, "weight", 0.5)
    opt = torch.optim.SGD(m.parameters(), 0.1)
    for _ in range(5):
        last = step(opt, m(torch.randn(4, 10)).pow(2).mean())
    assert (m.weight == 0).sum() == 50
    return last


def variational_autoencoder():
    encoder, decoder = nn.Linear(10, 4), nn.Linear(2, 10)
    opt = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-2)
    x = torch.rand(32, 10).round()
    for _ in range(30):
        mean, log_var = encoder(x).chunk(2, 1)
        q = D.Normal(mean, (log_var / 2).exp())
        fit = D.Bernoulli(logits=decoder(q.rsample())).log_prob(x).sum(1).mean()
        last = step(opt, D.kl_divergence(q, D.Normal(0.0, 1.0)).sum(1).mean() - fit)
    return last


RECORDED = {
    "squashed_policy": 0.2128516,
    "clipped_policy_gradient": -0.2143508,
    "adversaries": 0.6115412,
    "gradient_penalty": 1.067476,
    "mixture": -3.312015,
    "orthogonal_layer": 1.200117,
    "pruned_layer": 0.4210852,
    "variational_autoencoder": 6.888707,
}


@pytest.mark.parametrize("recipe", [
    squashed_policy, clipped_policy_gradient, adversaries, gradient_penalty, mixture, orthogonal_layer, pruned_layer,
    variational_autoencoder,
])  # fmt: skip
def test_ends_where_pytorch_ends(recipe):
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        last = recipe()
    assert last == pytest.approx(RECORDED[recipe.__name__], rel=1e-4)
