"""PyTorch初学者指南, from 构建Tensor to 模块化神经网络."""

import torch

torch.manual_seed(0)

# Create a 2x3 tensor
tensor = torch.tensor([[1, 2, 3], [4, 5, 6]])
print(tensor)

# 动态计算图

# PyTorch 使用动态计算图,在执行操作时即时构建计算图,这为在运行时修改图形提供了灵活性:

# Define two tensors
a = torch.tensor([2.0], requires_grad=True)
b = torch.tensor([3.0], requires_grad=True)

# Compute result
c = a * b
c.backward()

# Gradients
print(a.grad)  # Gradient w.r.t a

# GPU加速

# PyTorch 允许在 CPU 和 GPU 之间轻松切换。使用 .to(device) 即可:

device = "cuda" if torch.cuda.is_available() else "cpu"
tensor = tensor.to(device)

# Autograd:自动微分

# PyTorch 的 autograd 为tensor的所有运算提供了自动微分功能,设置 requires_grad=True可以跟踪计算:

x = torch.tensor([2.0], requires_grad=True)
y = x**2
y.backward()
print(x.grad)  # Gradient of y w.r.t x

# 模块化神经网络

# PyTorch 提供了 nn.Module 类来定义神经网络架构,通过子类化创建自定义层:

import torch.nn as nn  # noqa: E402


class SimpleNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(1, 1)

    def forward(self, x):
        return self.fc(x)


# What the class is for, so that the section prints something.
model = SimpleNN()
print(model)
print(model(torch.tensor([[1.0], [2.0]])))
print(tensor)
