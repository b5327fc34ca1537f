"""The training of plain_script.py as a PyTorch user would write it, eager, with Keras' weights to begin with and Keras' Adam.

python benchmarks/pytorch_script.py EPOCHS MNIST_NPZ
"""

import json
import sys
import time

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

with np.load(sys.argv[2]) as file:
    x_train, y_train, x_test, y_test = (file[name] for name in ("x_train", "y_train", "x_test", "y_test"))


def batches(images, labels, batch_size, shuffle):
    pictures = torch.from_numpy(images.reshape(-1, 1, 28, 28).astype(np.float32) / 255.0)
    return DataLoader(TensorDataset(pictures, torch.from_numpy(labels.astype(np.int64))), batch_size, shuffle)


train, test = batches(x_train, y_train, 128, True), batches(x_test, y_test, 128, False)
model = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding="same"),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(6, 6, 5, padding="same"),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(6, 6, 5, padding="same"),
    nn.ReLU(),
    nn.Flatten(),
    nn.Linear(7 * 7 * 6, 84),
    nn.ReLU(),
    nn.Linear(84, 10),
)
for layer in model:
    if isinstance(layer, (nn.Conv2d, nn.Linear)):  # as Keras begins
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
optimizer = torch.optim.Adam(model.parameters(), lr=0.001, eps=1e-7)
loss_of = nn.CrossEntropyLoss()
seconds, accuracy = [], 0.0
for _ in range(int(sys.argv[1])):
    started = time.monotonic()
    model.train()
    for images, labels in train:
        optimizer.zero_grad()
        loss_of(model(images), labels).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        accuracy = sum((model(images).argmax(1) == labels).sum().item() for images, labels in test) / len(y_test)
    seconds.append(time.monotonic() - started)
print(json.dumps({"seconds_per_epoch": seconds, "test_accuracy": accuracy}))
