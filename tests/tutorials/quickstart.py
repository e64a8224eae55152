"""PyTorch 快速入门:线性回归."""

import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(0)

# 数据
# 我们创建了一些简单的训练数据。x 是输入张量,y 是目标输出张量。
x = torch.tensor([[1.0], [2.0], [3.0], [4.0]], dtype=torch.float32)
y = torch.tensor([[2.0], [4.0], [6.0], [8.0]], dtype=torch.float32)

# 模型
# 定义一个简单的线性模型,输入和输出都是一维的。
# nn.Linear(1, 1) 意味着我们有一个输入特征和一个输出特征。
model = nn.Linear(1, 1)

# 损失和优化器
# 损失函数用于衡量模型预测值与实际值之间的差异。
# 这里使用均方误差损失(MSE),适合用于回归问题。
criterion = nn.MSELoss()

# 优化器用于更新模型的参数以减少损失。
# 这里使用随机梯度下降(SGD)优化器,学习率设为 0.01。
optimizer = optim.SGD(model.parameters(), lr=0.01)

# 训练
epochs = 1000  # 训练的轮数
for epoch in range(epochs):
    # 前向传播:通过模型计算预测值
    outputs = model(x)

    # 计算损失:比较预测值和实际值
    loss = criterion(outputs, y)

    # 反向传播和优化
    optimizer.zero_grad()  # 清除之前的梯度
    loss.backward()  # 反向传播计算梯度
    optimizer.step()  # 更新模型参数

    # 每 100 个 epoch 打印一次损失
    if (epoch + 1) % 100 == 0:
        print(f"Epoch [{epoch + 1}/{epochs}], Loss: {loss.item():.4f}")

# 测试
# 关闭梯度计算,以提高计算效率,因为我们不再需要计算梯度
with torch.no_grad():
    # 使用训练好的模型进行预测
    predicted = model(torch.tensor([[5.0]]))

    # 打印预测结果
    print(f"Predicted value for input 5.0: {predicted.item():.4f}")
