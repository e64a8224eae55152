"""The beginners' guide, from 模块化神经网络 on."""

import os
import tempfile

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)
os.chdir(tempfile.mkdtemp())


# ---- 模块化神经网络
class SimpleNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(1, 1)

    def forward(self, x):
        return self.fc(x)


print(SimpleNN())
model = nn.Linear(4, 3)

# ---- 预定义层和损失函数
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)


# ---- Dataset 与 DataLoader
class CustomDataset(Dataset):
    def __init__(self, size):
        self.x = torch.randn(size, 4)
        self.y = torch.randint(0, 3, (size,))

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index], self.y[index]


dataset = CustomDataset(100)
data_loader = DataLoader(dataset, batch_size=32, shuffle=True)

# ---- 模型训练(循环)
epochs = 3
for epoch in range(epochs):
    for data, target in data_loader:
        optimizer.zero_grad()
        output = model(data)
        loss = loss_fn(output, target)
        loss.backward()
        optimizer.step()
    print(f"{loss.item():.4f}")

# ---- 模型序列化
# Save
torch.save(model.state_dict(), "model_weights.pth")
# Load
print(model.load_state_dict(torch.load("model_weights.pth")))
print(model.weight)
