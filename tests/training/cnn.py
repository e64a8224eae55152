"""A convolutional network with batch normalisation, trained by SGD with momentum and weight decay."""

import torch
from common import clusters, train
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, stride=2),
    nn.ReLU(),
    nn.AdaptiveAvgPool2d(3),
    nn.Flatten(),
    nn.Linear(16 * 9, 10),
)
x, y = clusters(128, (1, 20, 20), 10)
batches = list(zip(x.split(32), y.split(32), strict=True))
optimizer = torch.optim.SGD(model.parameters(), 0.02, momentum=0.9, weight_decay=1e-4)
train(model, batches, lambda m, x, y: nn.functional.cross_entropy(m(x), y), optimizer)
