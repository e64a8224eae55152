"""The chapter "PyTorch基础", section 3.4."""

import torch

torch.manual_seed(0)


# ---- 3.4.1 索引与切片

# PyTorch的索引和切片语法与NumPy非常相似。
x = torch.arange(12).reshape(3, 4)
print(x)
# tensor([[ 0, 1, 2, 3],
# [ 4, 5, 6, 7],
# [ 8, 9, 10, 11]])
# 基本索引
print(x[0])  # tensor([0, 1, 2, 3])
print(x[1, 2])  # tensor(6)
print(x[-1, -1])  # tensor(11)
# 切片
print(x[:, 0])  # tensor([0, 4, 8])(第一列)
print(x[1:, :2])  # tensor([[4, 5], [8, 9]])(后两行的前两列)
print(x[::2, ::2])  # tensor([[0, 2], [8, 10]])(跳行跳列)
# 布尔索引
mask = x > 5
print(mask)
# tensor([[False, False, False, False],
# [False, False, True, True],
# [ True, True, True, True]])
print(x[mask])  # tensor([ 6, 7, 8, 9, 10, 11])
# 条件索引
print(x[x > 5])  # tensor([ 6, 7, 8, 9, 10, 11])

# ---- 3.4.2 形状操作

# reshape:改变形状
x = torch.arange(12)
y = x.reshape(3, 4)
print(y.shape)  # torch.Size([3, 4])
# view:类似reshape,但不复制数据
z = x.view(3, 4)
# flatten:展平为一维
flat = y.flatten()
print(flat.shape)  # torch.Size([12])
# squeeze/unsqueeze:移除/添加单维度
a = torch.randn(1, 3, 1, 4)
print(a.shape)  # torch.Size([1, 3, 1, 4])
b = torch.squeeze(a)  # 移除所有单维度
print(b.shape)  # torch.Size([3, 4])
c = torch.squeeze(a, dim=0)  # 移除指定维度的单维度
print(c.shape)  # torch.Size([3, 1, 4])
d = torch.unsqueeze(b, dim=0)  # 添加单维度
print(d.shape)  # torch.Size([1, 3, 4])
# transpose:转置(2维)
x = torch.randn(3, 4)
y = x.T  # 或 x.transpose(0, 1)
print(y.shape)  # torch.Size([4, 3])
# permute:多维转置
x = torch.randn(2, 3, 4, 5)
y = x.permute(2, 0, 3, 1)  # (2,3,4,5) -> (4,2,5,3)
print(y.shape)  # torch.Size([4, 2, 5, 3])
# repeat:重复Tensor
x = torch.tensor([1, 2, 3])
y = x.repeat(3)  # 重复3次
print(y)  # tensor([1, 2, 3, 1, 2, 3, 1, 2, 3])
z = x.repeat(2, 1)  # 沿第0维重复2次,第1维重复1次
print(z)
# tensor([[1, 2, 3],
# [1, 2, 3]])

# ---- 3.4.3 连接与分割

# cat:沿现有轴连接
a = torch.randn(2, 3)
b = torch.randn(2, 3)
c = torch.cat([a, b], dim=0)  # 沿第0维连接
print(c.shape)  # torch.Size([4, 3])
d = torch.cat([a, b], dim=1)  # 沿第1维连接
print(d.shape)  # torch.Size([2, 6])
# stack:沿新轴连接(会创建新维度)
e = torch.stack([a, b], dim=0)
print(e.shape)  # torch.Size([2, 2, 3])
# split:分割
x = torch.randn(8, 4)
# 按大小分割
splits = torch.split(x, [2, 3, 3], dim=0)  # 分割为2,3,3
# chunk:均匀分割
chunks = torch.chunk(x, 4, dim=0)  # 沿第0维均匀分割为4份
# split与chunk对比
print([s.shape for s in splits])  # [torch.Size([2, 4]), torch.Size([3, 4]), torch.Size([3, 4])]
print([c.shape for c in chunks])  # [torch.Size([2, 4]), torch.Size([2, 4]), torch.Size([2, 4]), torch.Size([2, 4])]
