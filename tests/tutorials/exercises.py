"""The five exercises of the chapter "PyTorch基础" (needs Pillow)."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

torch.manual_seed(0)

# ---- 1. 张量练习
A, B = torch.randn(3, 4), torch.randn(3, 4)
print(A @ B.T)
print(A * B, (A * B[0]).sum(dim=0))
print(torch.linalg.norm(A, dim=1), A.norm(dim=1), (A**2).sum(1).sqrt())


# ---- 2. 多层感知机
class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 128),
            nn.ReLU(),
            nn.Linear(128, 128),
            nn.ReLU(),
            nn.Linear(128, 10),
            nn.LogSoftmax(dim=1),
        )

    def forward(self, x):
        return self.layers(x)


model = MLP()
print(model)
images, labels = torch.rand(64, 1, 28, 28), torch.randint(0, 10, (64,))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for _ in range(10):
    optimizer.zero_grad()
    loss = F.nll_loss(model(images), labels)
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.4f}")
print(model(images).exp().sum(dim=1)[:3])


# ---- 3. ImageDataset 与数据增强
class ImageDataset(Dataset):
    def __init__(self, images, labels, transform=None):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        return (self.transform(image) if self.transform else image), self.labels[index]


transform = transforms.Compose(
    [
        transforms.RandomHorizontalFlip(),
        transforms.RandomRotation((-15, 15)),
        transforms.ToTensor(),
        transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    ]
)
print(transform)
pictures = [Image.fromarray((torch.rand(16, 16, 3) * 255).to(torch.uint8).numpy()) for _ in range(6)]
for batch, numbers in DataLoader(ImageDataset(pictures, list(range(6)), transform), batch_size=3, shuffle=True):
    print(batch.shape, batch.mean(), batch.amin(), batch.amax(), numbers)

# ---- 4. 学习率调度器
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1.0 if epoch < 5 else 0.5 ** (epoch - 4))
for epoch in range(8):
    optimizer.step()
    print(epoch, scheduler.get_last_lr())
    scheduler.step()


# ---- 5. FocalLoss
class FocalLoss(nn.Module):
    def __init__(self, alpha=0.25, gamma=2.0):
        super().__init__()
        self.alpha, self.gamma = alpha, gamma

    def forward(self, logits, target):
        log_pt = F.log_softmax(logits, dim=1).gather(1, target.unsqueeze(1)).squeeze(1)
        pt = log_pt.exp()
        return (-self.alpha * (1 - pt) ** self.gamma * log_pt).mean()


logits = torch.randn(8, 3, requires_grad=True)
target = torch.tensor([0, 0, 0, 0, 0, 0, 1, 2])
focal = FocalLoss()(logits, target)
focal.backward()
print(focal, F.cross_entropy(logits, target))
print(logits.grad)
