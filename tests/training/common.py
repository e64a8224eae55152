"""What the training scripts share."""

import torch


def train(model, batches, loss_of, optimizer, steps=100):
    """Trains for some steps over the batches in turn and prints each step's loss."""
    for step in range(steps):
        optimizer.zero_grad()
        loss = loss_of(model, *batches[step % len(batches)])
        loss.backward()
        optimizer.step()
        print(f"{loss.item():.9g}")


def clusters(count, shape, classes):
    """Noisy pictures of some classes: inputs and labels that can be learned."""
    labels = torch.randint(0, classes, (count,))
    return torch.randn(classes, *shape)[labels] + torch.randn(count, *shape), labels
