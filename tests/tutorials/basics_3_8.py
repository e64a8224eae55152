"""The chapter "PyTorch基础", section 3.8 (needs Pillow)."""

import gzip
import os
import struct
import tempfile

import torch
import torchvision
import torchvision.transforms as transforms
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)


# ---- 3.8.1 Dataset与DataLoader
# 自定义数据集
class CustomDataset(Dataset):
    def __init__(self, data, labels):
        self.data = data
        self.labels = labels

    def __len__(self):
        return len(self.data)

    def __getitem__(self, idx):
        return self.data[idx], self.labels[idx]


# 创建数据集
X = torch.randn(1000, 784)  # 1000个样本
y = torch.randint(0, 10, (1000,))  # 10个类别
dataset = CustomDataset(X, y)
# 创建数据加载器
dataloader = DataLoader(dataset, batch_size=32, shuffle=True, num_workers=0)
# 迭代数据
for batch_data, batch_labels in dataloader:
    print(batch_data.shape, batch_labels.shape)
    print(batch_labels)
    # torch.Size([32, 784]) torch.Size([32])
    break
print(len(dataloader))

# ---- 3.8.2 torchvision数据集
# The four files of MNIST, small, where its download would have put them.
os.chdir(tempfile.mkdtemp())
os.makedirs("data/MNIST/raw")
for name, count in (("train", 200), ("t10k", 100)):
    images = torch.randint(0, 256, (count, 28, 28), dtype=torch.uint8)
    labels = torch.randint(0, 10, (count,), dtype=torch.uint8)
    for kind, tensor in (("images-idx3", images), ("labels-idx1", labels)):
        header = struct.pack(f">BBBB{tensor.dim()}I", 0, 0, 8, tensor.dim(), *tensor.shape)
        content = header + tensor.numpy().tobytes()
        with open(f"data/MNIST/raw/{name}-{kind}-ubyte", "wb") as file:
            file.write(content)
        with gzip.open(f"data/MNIST/raw/{name}-{kind}-ubyte.gz", "wb") as file:
            file.write(content)

# 下载并加载MNIST数据集
transform = transforms.Compose(
    [
        transforms.ToTensor(),  # 转换为Tensor
        transforms.Normalize((0.5,), (0.5,)),  # 归一化
    ]
)
train_dataset = torchvision.datasets.MNIST(root="./data", train=True, download=True, transform=transform)
test_dataset = torchvision.datasets.MNIST(root="./data", train=False, download=True, transform=transform)
print(train_dataset)
print(len(train_dataset), len(test_dataset))
# 创建数据加载器
train_loader = DataLoader(train_dataset, batch_size=64, shuffle=True)
test_loader = DataLoader(test_dataset, batch_size=64, shuffle=False)
for images, labels in train_loader:
    print(images.shape, images.dtype, labels)
for images, labels in test_loader:
    print(images.min(), images.max(), images.mean(), labels.sum())
