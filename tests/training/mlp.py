"""A perceptron with dropout on noisy pictures, trained by Adam."""

import torch
from common import clusters, train
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(
    nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 10)
)
x, y = clusters(256, (1, 28, 28), 10)
batches = list(zip(x.split(64), y.split(64), strict=True))
train(model, batches, lambda m, x, y: nn.functional.cross_entropy(m(x), y), torch.optim.Adam(model.parameters(), 1e-4))
