"""The chapter "PyTorch基础", section 3.3."""

import numpy as np
import torch

torch.manual_seed(0)


# ---- 3.3 Tensor属性

x = torch.randn(3, 4, 5)
# shape:形状
print(x.shape)  # torch.Size([3, 4, 5])
print(x.size())  # torch.Size([3, 4, 5])
# ndim/dim:维度数
print(x.dim())  # 3
# dtype:数据类型
print(x.dtype)  # torch.float32
# device:所在设备
print(x.device)  # cpu
# numel:元素总数
print(x.numel())  # 60
# layout:内存布局
print(x.layout)  # torch.strided
# Tensor数据类型:
# | dtype | 说明 |
# |---|---|
# | torch.float32 / torch.float | 32位浮点 |
# | torch.float64 / torch.double | 64位浮点 |
# | torch.float16 / torch.half | 16位浮点 |
# | torch.int8 | 8位整数 |
# | torch.int16 / torch.short | 16位整数 |
# | torch.int32 / torch.int | 32位整数 |
# | torch.int64 / torch.long | 64位整数 |
# | torch.bool | 布尔 |
# 指定数据类型
a = torch.tensor([1, 2, 3], dtype=torch.float32)
print(a.dtype)  # torch.float32
# 类型转换
b = a.to(torch.int32)
print(b.dtype)  # torch.int32
c = a.int()  # 简写形式
print(c.dtype)  # torch.int32
# 与NumPy的类型对应
print(torch.float32 == np.float32)  # True
print(torch.int64 == np.int64)  # True
