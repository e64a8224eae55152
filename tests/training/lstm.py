"""A language model of characters: embedding, two LSTM layers with dropout between, clipped gradients, AdamW."""

import torch
from common import train
from torch import nn

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self, symbols, width):
        super().__init__()
        self.embedding = nn.Embedding(symbols, width)
        self.lstm = nn.LSTM(width, width, num_layers=2, batch_first=True, dropout=0.1)
        self.head = nn.Linear(width, symbols)

    def forward(self, x):
        return self.head(self.lstm(self.embedding(x))[0])


def loss_of(model, x, y):
    return nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())


text = torch.arange(2000).mul(7).remainder(31).add(torch.randint(0, 2, (2000,))).remainder(31)
pieces = text[:1920].view(-1, 24)
batches = [(p[:, :-1], p[:, 1:]) for p in pieces.split(16)]
model = Model(31, 32)
train(model, batches, loss_of, torch.optim.AdamW(model.parameters(), 2e-3))
