"""The chapter "PyTorch基础", section 3.1."""


# ---- 3.1.1 安装与导入

# 安装PyTorch(CPU版本)
# pip install torch
# 安装PyTorch(CUDA版本,根据CUDA版本选择)
# pip install torch --index-url https://download.pytorch.org/whl/cu118
# 导入PyTorch
import torch

torch.manual_seed(0)

# ---- 3.1.2 Tensor概述

# Tensor(张量)是PyTorch的核心数据结构,可以理解为多维数组,与NumPy的ndarray非常相似,但Tensor支持GPU加速计算和自动求导。
# 标量(0维张量)
scalar = torch.tensor(3.14)
print(scalar)  # tensor(3.1400)
print(scalar.dim())  # 0
# 向量(1维张量)
vector = torch.tensor([1, 2, 3, 4, 5])
print(vector)  # tensor([1, 2, 3, 4, 5])
print(vector.shape)  # torch.Size([5])
# 矩阵(2维张量)
matrix = torch.tensor([[1, 2, 3], [4, 5, 6]])
print(matrix)
# tensor([[1, 2, 3],
# [4, 5, 6]])
print(matrix.shape)  # torch.Size([2, 3])
# 3维张量
tensor_3d = torch.randn(2, 3, 4)  # 随机初始化的3维张量
print(tensor_3d.shape)  # torch.Size([2, 3, 4])
