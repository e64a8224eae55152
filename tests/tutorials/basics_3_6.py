"""The chapter "PyTorch基础", section 3.6."""

import torch

torch.manual_seed(0)


# ---- 3.6.1 requires_grad

# 默认情况下,Tensor不会追踪计算历史。设置 requires_grad=True 开启梯度追踪。
# 创建需要求导的Tensor
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
print(x.requires_grad)  # True
# 简写方式
x = torch.ones(3, requires_grad=True)
# 从不需要求导的Tensor创建时,可显式指定
y = torch.tensor([1.0, 2.0, 3.0])
z = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
w = y + z  # w.requires_grad 为 True

# ---- 3.6.2 计算梯度

# 示例:计算 y = x^2 在 x = [1, 2, 3] 处的梯度
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = x**2
# y = [1, 4, 9]
# dy/dx = 2x = [2, 4, 6]
# backward()自动计算梯度
y.sum().backward()  # 对标量调用,或对非标量y.sum().backward()
print(x.grad)  # tensor([2., 4., 6.])
# 非标量输出的反向传播:
# 非标量Tensor需要指定gradient参数或先求和
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = x**2  # y = [1, 4, 9]
# 方式1:求和后反向传播
y.sum().backward()
# 方式2:传入与y形状相同的gradient参数
# y.backward(torch.ones_like(y)) # 效果等同于y.sum().backward()
print(x.grad)  # tensor([2., 4., 6.])

# ---- 3.6.3 计算图

# PyTorch使用动态计算图(Dynamic Computation Graph),每次运算都会构建新的计算图。
# 计算图示例
x = torch.tensor([1.0], requires_grad=True)
y = x + 2  # 创建加法节点
z = y**2  # 创建幂运算节点
w = z * 3  # 创建乘法节点
w.backward()
print(x.grad)  # dy/dx = ?
# 手动验证:w = 3*(x+2)^2
# dw/dx = 6*(x+2) = 6*3 = 18
print(x.grad)  # tensor([18.])
# 叶子节点与依赖节点:
x = torch.tensor([1.0], requires_grad=True)
y = x + 2
z = y**2
print(x.is_leaf)  # True(用户创建的)
print(y.is_leaf)  # False(由运算生成)
print(z.is_leaf)  # False
print(x.grad_fn)  # None(叶子节点没有grad_fn)
print(y.grad_fn)  # <AddBackward0>
print(z.grad_fn)  # <PowBackward0>

# ---- 3.6.4 梯度累积与 detach

# 计算图会累积梯度,多次反向传播时梯度会累加。
# 梯度累积示例
x = torch.tensor([1.0], requires_grad=True)
# 第一次计算
y = x**2
y.backward()
print(x.grad)  # tensor([2.])
# 第二次计算前需要清零
x.grad.zero_()
# 第二次计算
z = x**3
z.backward()
print(x.grad)  # tensor([3.])
# 如果不清零,梯度会累加:2 + 3 = 5
# detach():分离计算图:
x = torch.tensor([1.0], requires_grad=True)
y = x**2
# 分离y,使z脱离计算图
z = y.detach()
print(z.requires_grad)  # False
# 或者创建不需要梯度的副本
y_no_grad = y.detach().requires_grad_(False)

# ---- 3.6.5 with torch.no_grad()

# 在推理(inference)阶段,不需要梯度追踪,使用 no_grad() 可以节省内存和计算。
x = torch.tensor([1.0], requires_grad=True)
y = x**2
# 不追踪梯度
with torch.no_grad():
    z = y + 1
    print(z.requires_grad)  # False


# 装饰器形式
@torch.no_grad()
def inference(model, x):
    return model(x)


# 或者全局设置
torch.set_grad_enabled(False)
# ... 推理代码 ...
torch.set_grad_enabled(True)
