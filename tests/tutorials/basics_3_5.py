"""The chapter "PyTorch基础", section 3.5."""

import numpy as np
import torch

torch.manual_seed(0)


# ---- 3.5.1 逐元素运算

a = torch.tensor([1.0, 2.0, 3.0, 4.0])
# 基本算术运算
print(a + 1)  # tensor([2., 3., 4., 5.])
print(a - 1)  # tensor([0., 1., 2., 3.])
print(a * 2)  # tensor([2., 4., 6., 8.])
print(a / 2)  # tensor([0.5000, 1.0000, 1.5000, 2.0000])
print(a**2)  # tensor([ 1., 4., 9., 16.])
# 逐元素比较
b = torch.tensor([4, 2, 2, 5])
print(a > b)  # tensor([False, False, True, False])
print(a == b)  # tensor([False, True, False, False])
# 常用数学函数
x = torch.tensor([0, 30, 60, 90]) * np.pi / 180
print(torch.sin(x))  # 正弦
print(torch.cos(x))  # 余弦
print(torch.exp(x))  # 指数
print(torch.log(x))  # 自然对数
print(torch.sqrt(x))  # 平方根

# ---- 3.5.2 矩阵运算

# 矩阵乘法
A = torch.randn(3, 4)
B = torch.randn(4, 5)
C = torch.mm(A, B)  # 或 A @ B
print(C.shape)  # torch.Size([3, 5])
# 批量矩阵乘法
A = torch.randn(10, 3, 4)
B = torch.randn(10, 4, 5)
C = torch.bmm(A, B)  # 批量矩阵乘法
print(C.shape)  # torch.Size([10, 3, 5])
# 更通用的批矩阵乘法
C = torch.matmul(A, B)  # 支持广播
# 向量点积
v1 = torch.tensor([1.0, 2.0, 3.0])
v2 = torch.tensor([4.0, 5.0, 6.0])
dot = torch.dot(v1, v2)
print(dot)  # tensor(32.)
# 求范数
x = torch.tensor([3.0, 4.0])
l2_norm = torch.norm(x)  # 默认L2范数
print(l2_norm)  # tensor(5.)
l1_norm = torch.norm(x, p=1)  # L1范数
print(l1_norm)  # tensor(7.)
# 矩阵转置
A = torch.randn(3, 4)
print(A.T.shape)  # torch.Size([4, 3])

# ---- 3.5.3 归约操作

a = torch.tensor([[1, 2, 3], [4, 5, 6]])
# 求和
print(torch.sum(a))  # tensor(21)
print(torch.sum(a, dim=0))  # tensor([5, 7, 9])(按列)
print(torch.sum(a, dim=1))  # tensor([ 6, 15])(按行)
# 均值
print(torch.mean(a))  # tensor(3.5000)
print(torch.mean(a, dim=0))  # tensor([2.5000, 3.5000, 4.5000])
# 标准差
print(torch.std(a))  # tensor(1.7078)
# 最大最小值
print(torch.min(a))  # tensor(1)
print(torch.max(a))  # tensor(6)
print(torch.argmin(a))  # tensor(0)(索引)
print(torch.argmax(a))  # tensor(5)
# 沿指定维度求最值
print(torch.max(a, dim=0))  # 返回(values, indices)
values, indices = torch.max(a, dim=1)
print(values)  # tensor([3, 6])
print(indices)  # tensor([2, 2])
# 累积操作
print(torch.cumsum(a, dim=0))
# tensor([[1, 2, 3],
# [5, 7, 9]])

# ---- 3.5.4 广播机制

# PyTorch的广播机制与NumPy类似,但需要注意维度匹配。
# 基本广播
a = torch.randn(3, 4)
b = torch.randn(4)
c = a + b  # b被广播到(3,4)
# 显式添加维度
a = torch.randn(3, 4)
b = torch.randn(3, 1)  # (3,1)广播到(3,4)
c = a + b
# 批量处理示例
images = torch.randn(32, 3, 224, 224)  # batch_size=32, 3通道, 224x224
mean = torch.mean(images, dim=[2, 3])  # (32, 3)
# mean需要reshape为(32, 3, 1, 1)才能与images广播
mean = mean.reshape(32, 3, 1, 1)
normalized = images - mean
print(normalized.shape)  # (32, 3, 224, 224)
