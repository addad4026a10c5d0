"""Real photographs are drawn where they are at hand, and nowhere else."""

import torch

from rainlens import images, real_rain
from rainlens.models.filters import Copy


def test_real_pictures_come_with_what_each_network_changed(tmp_path, monkeypatch):
    picture = torch.full((3, 24, 24), 90, dtype=torch.uint8)
    (tmp_path / "1.jpg").write_bytes(images.encode_webp(picture))
    monkeypatch.setattr(images, "find_folder", lambda name: tmp_path)
    monkeypatch.setattr(images, "is_available", lambda name: True)
    monkeypatch.setattr(real_rain, "FOUR", ("1.jpg",))
    tiles = real_rain.outputs({"copy": Copy()})
    assert [label for _, label in tiles] == ["1.jpg, as it is", "copy: changed by 0.0 grey levels"]


def test_without_them_nothing_is_drawn(monkeypatch):
    monkeypatch.setattr(images, "is_available", lambda name: False)
    assert real_rain.outputs({"copy": Copy()}) == []
