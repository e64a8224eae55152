"""The chapter "PyTorch基础", section 3.2."""

import numpy as np
import torch

torch.manual_seed(0)


# ---- 3.2.1 从数据创建

# 从Python列表创建
a = torch.tensor([1, 2, 3, 4, 5])
print(a)  # tensor([1, 2, 3, 4, 5])
# 从NumPy数组创建
np_array = np.array([[1, 2, 3], [4, 5, 6]])
torch_tensor = torch.from_numpy(np_array)
print(torch_tensor)
# tensor([[1, 2, 3],
# [4, 5, 6]])
# Tensor转NumPy
back_to_np = torch_tensor.numpy()
print(back_to_np)
# [[1 2 3]
# [4 5 6]]
# 注意:共享内存(修改一方会影响另一方)
torch_tensor[0, 0] = 99
print(np_array[0, 0])  # 99
# 不共享内存的转换
copy_tensor = torch_tensor.clone().numpy()

# ---- 3.2.2 预定义Tensor

# 全0Tensor
zeros_1d = torch.zeros(5)
zeros_2d = torch.zeros(3, 4)
zeros_3d = torch.zeros(2, 3, 4)
print(zeros_2d)
# tensor([[0., 0., 0., 0.],
# [0., 0., 0., 0.],
# [0., 0., 0., 0.]])
# 全1Tensor
ones = torch.ones(2, 3)
print(ones)
# tensor([[1., 1., 1.],
# [1., 1., 1.]])
# 填充指定值
full = torch.full((2, 3), 7.0)
print(full)
# tensor([[7., 7., 7.],
# [7., 7., 7.]])
# 单位矩阵
eye = torch.eye(4)
print(eye)
# tensor([[1., 0., 0., 0.],
# [0., 1., 0., 0.],
# [0., 0., 1., 0.],
# [0., 0., 0., 1.]])

# ---- 3.2.3 范围和序列

# arange:类似Python的range
a = torch.arange(10)  # 0到9
print(a)  # tensor([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
b = torch.arange(1, 10)  # 1到9
print(b)  # tensor([1, 2, 3, 4, 5, 6, 7, 8, 9])
c = torch.arange(0, 10, 2)  # 0到9,步长2
print(c)  # tensor([0, 2, 4, 6, 8])
# linspace:等差数列
d = torch.linspace(0, 1, 5)  # 0到1之间均匀取5个点
print(d)  # tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])

# ---- 3.2.4 随机Tensor

# 设置随机种子(结果可复现)
torch.manual_seed(42)
# 均匀分布[0, 1)
uniform = torch.rand(3, 4)
print(uniform)
# tensor([[0.3745, 0.9507, 0.7320, 0.5987],
# [0.1560, 0.1560, 0.0581, 0.8662],
# [0.6011, 0.7081, 0.0206, 0.9699]])
# 标准正态分布(均值0,方差1)
normal = torch.randn(3, 4)
print(normal)
# 整数随机Tensor
integers = torch.randint(0, 10, (3, 4))  # 0到9
print(integers)
# 随机打乱
arr = torch.arange(10)
shuffled = arr[torch.randperm(len(arr))]  # 随机排列索引
print(shuffled)
# 生成随机初始化的Tensor,指定尺寸
linear = torch.randn(512, 1024)  # 权重初始化常用
