"""The chapter "PyTorch基础", section 3.7."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

torch.manual_seed(0)

# ---- 3.7.1 常用层
# Linear(全连接层)
linear = nn.Linear(in_features=10, out_features=5, bias=True)
input_tensor = torch.randn(3, 10)  # batch_size=3, 输入特征=10
output = linear(input_tensor)
print(output.shape)  # torch.Size([3, 5])
print(output)
# 权重和偏置
print(linear.weight.shape)  # torch.Size([5, 10])
print(linear.bias.shape)  # torch.Size([5])
print(linear.weight)

# Conv2d(卷积层)
conv = nn.Conv2d(in_channels=3, out_channels=16, kernel_size=3, padding=1)
# 输入:(batch, channels, height, width)
input_tensor = torch.randn(1, 3, 32, 32)
output = conv(input_tensor)
print(output.shape)  # torch.Size([1, 16, 32, 32])
# MaxPool2d(最大池化)
pool = nn.MaxPool2d(kernel_size=2, stride=2)
output = pool(output)
print(output.shape)  # torch.Size([1, 16, 16, 16])
# AvgPool2d(平均池化)
avg_pool = nn.AvgPool2d(kernel_size=2, stride=2)
output = avg_pool(output)
print(output.shape)  # torch.Size([1, 16, 8, 8])
print(output[0, :2])
print(conv, pool, avg_pool)

# ---- 3.7.2 激活函数
x = torch.randn(5)
# ReLU
relu = F.relu(x)
print(relu)  # max(0, x)
# Sigmoid
sigmoid = torch.sigmoid(x)
print(sigmoid)  # 1 / (1 + exp(-x))
# Tanh
tanh = torch.tanh(x)
print(tanh)
# Softmax(沿指定维度)
x = torch.randn(2, 5)
softmax = F.softmax(x, dim=1)  # 沿第1维归一化
print(softmax)  # 每行和为1
print((softmax.sum(dim=1) - 1).abs() < 1e-6)

# ---- 3.7.3 构建模型
# 方式1:Sequential
model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10))
print(model)
# 测试模型
x = torch.randn(32, 784)  # batch_size=32
output = model(x)
print(output.shape)  # torch.Size([32, 10])
print(output[0])


# 方式2:类继承
class SimpleNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 256)
        self.fc2 = nn.Linear(256, 128)
        self.fc3 = nn.Linear(128, 10)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.relu(self.fc1(x))
        x = self.relu(self.fc2(x))
        x = self.fc3(x)
        return x


model = SimpleNet()
print(model)
# 访问参数
for name, param in model.named_parameters():
    print(f"{name}: {param.shape}")

# ---- 3.7.4 损失函数
# 交叉熵损失(用于分类)
criterion = nn.CrossEntropyLoss()
# 模拟预测和目标
outputs = torch.randn(4, 10)  # 4个样本,10个类别
targets = torch.tensor([0, 5, 3, 7])  # 真实类别索引
loss = criterion(outputs, targets)
print(f"CrossEntropyLoss: {loss.item():.4f}")
# MSE损失(用于回归)
mse_loss = nn.MSELoss()
predictions = torch.tensor([[1.0], [2.0], [3.0]])
targets = torch.tensor([[1.5], [2.5], [2.5]])
loss = mse_loss(predictions, targets)
print(f"MSELoss: {loss.item():.4f}")
# BCE损失(二分类)
bce_loss = nn.BCELoss()
sigmoid = nn.Sigmoid()
pred = sigmoid(torch.randn(4, 1))
target = torch.tensor([[1.0], [0.0], [1.0], [0.0]])
loss = bce_loss(pred, target)
print(f"BCELoss: {loss.item():.4f}")

# ---- 3.7.5 优化器
# 创建模型
model = SimpleNet()
# SGD优化器
optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
print(optimizer)
# Adam优化器(更常用)
optimizer = optim.Adam(model.parameters(), lr=0.001)
print(optimizer)
# 典型训练步骤
dataloader = [(torch.randn(16, 784), torch.randint(0, 10, (16,))) for _ in range(4)]
for data, target in dataloader:
    optimizer.zero_grad()  # 清零梯度
    output = model(data)  # 前向传播
    loss = criterion(output, target)  # 计算损失
    loss.backward()  # 反向传播
    optimizer.step()  # 更新参数
    print(f"{loss.item():.4f}")
