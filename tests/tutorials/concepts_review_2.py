"""The concepts review, from 神经网络模块 on."""

import os
import tempfile

import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader, Dataset, TensorDataset

torch.manual_seed(0)
os.chdir(tempfile.mkdtemp())


# ---- 3. 神经网络模块(nn): each row of the table
class Net(nn.Module):  # 模型基类 nn.Module
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)  # 卷积层
        self.norm = nn.BatchNorm2d(4)  # Dropout/BatchNorm
        self.act = nn.ReLU()
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(4 * 6 * 6, 10)  # 全连接层

    def forward(self, x):
        x = self.drop(self.act(self.norm(self.conv(x))))
        return self.fc(x.flatten(1))


model = Net()
print(model)
x = torch.randn(2, 1, 8, 8)
print(model(x))
print(nn.Sigmoid()(torch.tensor([0.0, 2.0])), nn.Softmax(dim=0)(torch.tensor([1.0, 2.0, 3.0])))
print(nn.MSELoss()(torch.ones(3), torch.zeros(3)))
print(nn.CrossEntropyLoss()(torch.randn(3, 5), torch.tensor([1, 0, 4])))
print(nn.BCELoss()(torch.tensor([0.9, 0.2]), torch.tensor([1.0, 0.0])))

# ---- 4. 优化器(Optimizer)
target = torch.tensor([3, 7])
for optimizer in (
    optim.SGD(model.parameters(), lr=0.01),
    optim.Adam(model.parameters(), lr=0.001),
    optim.RMSprop(model.parameters(), lr=0.001),
    # ---- 优化器: 常见优化器示例
    torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9),
    torch.optim.AdamW(model.parameters(), lr=0.001, weight_decay=0.01),
):
    print(type(optimizer).__name__)
    for _ in range(3):
        optimizer.zero_grad()  # 清空梯度
        loss = nn.CrossEntropyLoss()(model(x), target)
        loss.backward()  # 反向传播
        optimizer.step()  # 更新参数
        print(f"{loss.item():.4f}")


# ---- 5. 数据加载(DataLoader)
class Squares(Dataset):
    def __len__(self):
        return 10

    def __getitem__(self, i):
        return torch.tensor(float(i)), i * i


for a, b in DataLoader(Squares(), batch_size=4, shuffle=True):
    print(a, b)
for batch in DataLoader(TensorDataset(torch.arange(6.0).view(3, 2), torch.arange(3)), batch_size=2):
    print(batch)

# ---- 6. 其他常用工具
# 设备管理
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
x = x.to(device)
model.to(device)
# 保存与加载模型
torch.save(model.state_dict(), "model.pth")  # 保存模型参数
print(model.load_state_dict(torch.load("model.pth")))  # 加载模型参数
# 梯度裁剪(防止梯度爆炸)
nn.CrossEntropyLoss()(model(x), target).backward()
print(torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0))
print(model.fc.bias.grad)

# ---- 深度学习基础概念
# 学习率衰减
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
for _ in range(5):
    optimizer.step()
    print(scheduler.get_last_lr())
    scheduler.step()
# 激活函数
act = nn.ReLU()
v = torch.linspace(-2, 2, 5)
print(act(v), torch.sigmoid(v), torch.tanh(v), nn.GELU()(v), nn.LeakyReLU()(v))
# 网络层数 / 神经元数
print(nn.Linear(128, 64))  # 输入 128 个特征,输出 64 个神经元
# 正则化
drop = nn.Dropout(p=0.5)  # 50% 概率丢弃神经元
print(drop(torch.ones(10)))
print(drop.eval()(torch.ones(10)))
l2 = sum((p**2).sum() for p in model.parameters())
l1 = sum(p.abs().sum() for p in model.parameters())
print(l1, l2)
