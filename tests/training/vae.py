"""A variational autoencoder: reparameterised draws, a likelihood and a divergence, Adam."""

import torch
from common import clusters, train
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(144, 64), nn.Tanh())
        self.mean, self.log_variance = nn.Linear(64, 4), nn.Linear(64, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 64), nn.Softplus(), nn.Linear(64, 144))

    def forward(self, x):
        h = self.encoder(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decoder(z), mean, log_variance


def loss_of(model, x):
    logits, mean, log_variance = model(x)
    likelihood = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / len(x)
    divergence = -0.5 * (1 + log_variance - mean.pow(2) - log_variance.exp()).sum(1).mean()
    return likelihood + divergence


images, _ = clusters(128, (144,), 4)
batches = [(x,) for x in torch.sigmoid(2 * images).split(32)]
model = VAE()
train(model, batches, loss_of, torch.optim.Adam(model.parameters(), 1e-3))
