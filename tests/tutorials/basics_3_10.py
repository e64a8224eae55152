"""The chapter "PyTorch基础", section 3.10."""

import os
import tempfile

import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
os.chdir(tempfile.mkdtemp())


class RegressionNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, x):
        return self.layers(x)


dataloader = DataLoader(TensorDataset(torch.randn(100, 20), torch.randn(100, 1)), batch_size=32)
model = RegressionNet()
criterion = nn.MSELoss()
optimizer = optim.Adam(model.parameters(), lr=0.01)
for epoch in range(3):
    for batch_X, batch_y in dataloader:
        loss = criterion(model(batch_X), batch_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

# ---- 3.10.1 保存模型
# 保存整个模型(不推荐,包含整个模型结构)
torch.save(model, "model.pth")
# 保存模型参数(推荐,轻量且灵活)
torch.save(model.state_dict(), "model_weights.pth")
# 保存检查点(保存训练状态)
checkpoint = {
    "epoch": epoch,
    "model_state_dict": model.state_dict(),
    "optimizer_state_dict": optimizer.state_dict(),
    "loss": loss,
}
torch.save(checkpoint, "checkpoint.pth")
sample = torch.randn(2, 20)
print(model(sample))

# ---- 3.10.2 加载模型
# 加载整个模型
loaded_model = torch.load("model.pth")
print(loaded_model)
print(loaded_model(sample))
# 加载模型参数
model = RegressionNet()  # 先创建模型结构
print(model.load_state_dict(torch.load("model_weights.pth")))
print(model(sample))
# 加载检查点
checkpoint = torch.load("checkpoint.pth")
model.load_state_dict(checkpoint["model_state_dict"])
optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
epoch = checkpoint["epoch"]
loss = checkpoint["loss"]
print(list(checkpoint), epoch, loss.item())
print(optimizer.state_dict()["param_groups"])
print(optimizer.state_dict()["state"][0]["step"], optimizer.state_dict()["state"][5]["exp_avg"])

# ---- 3.10.3 GPU训练
# 检查GPU是否可用
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
print(f"Using device: {device}")
# 将模型和数据移动到GPU
model = model.to(device)
# 训练循环中
for batch_X, batch_y in dataloader:
    batch_X = batch_X.to(device)
    batch_y = batch_y.to(device)
    predictions = model(batch_X)
    loss = criterion(predictions, batch_y)
    print(f"{loss.item():.4f}")
# 从GPU移回CPU
model = model.cpu()
predictions = predictions.cpu()
print(predictions.device, predictions)
