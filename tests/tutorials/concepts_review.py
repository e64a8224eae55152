"""深度学习基础概念回顾: the parts on tensors (张量相关) and on automatic differentiation (自动求导)."""

import torch

torch.manual_seed(0)

# ---- 3. PyTorch 的核心组成

# 1. Tensor(张量)
x = torch.randn(3, 4)  # 创建一个 3x4 的随机张量
y = x + 2  # 张量运算
print(x)
print(y)

# 2. Autograd(自动求导)
x = torch.tensor([2.0], requires_grad=True)
y = x**2
y.backward()  # 自动计算梯度
print(x.grad)  # 4.0

# ---- Pytorch 基础库和函数, 1. 张量(Tensor)相关: each row of the table

# 创建张量 torch.tensor(data)
data = [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]
x = torch.tensor(data)
print(x)

# 随机初始化 torch.randn(shape)
shape = (2, 3)
print(torch.randn(shape))

# 全零/全一 torch.zeros(shape), torch.ones(shape)
print(torch.zeros(shape), torch.ones(shape))

# 形状操作 x.view(), x.reshape(), x.squeeze(), x.unsqueeze()
print(x.view(4, 2))
print(x.view(-1))
print(x.reshape(1, 8))
print(x.unsqueeze(0).shape)
print(x.unsqueeze(0).squeeze().shape)

# 计算操作 torch.sum(), torch.mean(), torch.max(), torch.min(), torch.argmax()
print(torch.sum(x), torch.mean(x), torch.max(x), torch.min(x), torch.argmax(x))
print(torch.sum(x, dim=0), torch.mean(x, dim=1))
print(torch.max(x, dim=1))

# GPU操作 x.to('cuda'), x.cuda(), x.cpu()
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
x = x.to(device)
print(x.cpu().device)

# 自动求导 x.requires_grad_(), x.grad
x = torch.tensor(data)
print(x.requires_grad, x.grad)
x.requires_grad_()
print(x)
(x * x).sum().backward()
print(x.grad)
