"""Images of one's own with a small convolutional network."""

from __future__ import annotations

from danlu.core import Recipe
from danlu.data.image_folder import ImageFolder
from danlu.nets.cnn import CNN
from danlu.optim.first_order import AdamW
from danlu.optim.schedules import OneCycle


def images() -> Recipe:
    """Your own images (`data.path=folder`, a subfolder a class), with a small convolutional network.

    中文: 自己的图像（`data.path=文件夹`，每个类别一个子文件夹），使用小型卷积网络

    Scope: 11.3, 12.2, 1.6
    """
    return Recipe(
        model=CNN(),
        data=ImageFolder(),
        optimizer=AdamW(lr=1e-2, weight_decay=0.05),
        schedule=OneCycle(),
        epochs=20,
        batch_size=64,
    )
