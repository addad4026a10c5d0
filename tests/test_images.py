"""Pictures of every kind load as the eye sees them; bad files are named; patches are nested."""

import re
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from rainlens import images
from rainlens.data import pictures
from rainlens.images import PictureError

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (24, 16, 3), dtype=np.uint8)


def pixels(path) -> np.ndarray:
    """What `load` makes of a file, as (H, W, 3), after checking the promised form."""
    picture = images.load(path)
    assert picture.dtype == torch.uint8 and picture.ndim == 3 and picture.shape[0] == 3
    return picture.permute(1, 2, 0).numpy()


def save(folder, name: str, picture: Image.Image, **options):
    path = folder / name
    picture.save(path, **options)
    return path


def assert_one_sentence(message: str, path) -> None:
    assert str(path) in message
    assert message.endswith(".") and "\n" not in message
    assert ". " not in message  # the only full stop that ends a sentence is the last


# --- every kind of file -------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_rgb_is_read_exactly(tmp_path, suffix):
    path = save(tmp_path, f"rgb.{suffix}", Image.fromarray(RGB))
    assert np.array_equal(pixels(path), RGB)


def test_grey_becomes_three_equal_channels(tmp_path):
    path = save(tmp_path, "grey.png", Image.fromarray(RGB[..., 0]))
    assert np.array_equal(pixels(path), np.repeat(RGB[..., :1], 3, axis=2))


def test_one_bit_is_black_and_white(tmp_path):
    path = save(tmp_path, "bit.png", Image.fromarray(RGB[..., 0] > 127))
    assert np.array_equal(pixels(path)[..., 0], np.where(RGB[..., 0] > 127, 255, 0))


def test_transparent_palette_entry_becomes_white(tmp_path):
    picture = Image.fromarray(np.array([[0, 1], [2, 0]], np.uint8)).convert("P")
    picture.putdata([0, 1, 2, 0])
    picture.putpalette([9, 9, 9, 200, 0, 0, 0, 100, 50])
    path = save(tmp_path, "palette.png", picture, transparency=0)
    expected = [[[255, 255, 255], [200, 0, 0]], [[0, 100, 50], [255, 255, 255]]]
    assert pixels(path).tolist() == expected


def test_rgba_lies_on_white(tmp_path):
    rgba = np.dstack([RGB, RNG.integers(0, 256, RGB.shape[:2], dtype=np.uint8)])
    path = save(tmp_path, "rgba.png", Image.fromarray(rgba))
    alpha = rgba[..., 3:].astype(float) / 255
    expected = alpha * RGB + (1 - alpha) * 255
    assert np.abs(pixels(path) - expected).max() <= 1


def test_grey_with_alpha_lies_on_white(tmp_path):
    path = save(tmp_path, "la.png", Image.new("LA", (2, 2), (0, 51)))  # a fifth black
    assert np.unique(pixels(path)).tolist() == [204]


def test_cmyk_is_converted(tmp_path):
    inks = np.array([[[0, 255, 255, 0], [255, 0, 0, 0], [0, 0, 0, 255], [0, 0, 0, 0]]], np.uint8)
    path = save(tmp_path, "cmyk.tif", Image.fromarray(inks, mode="CMYK"))
    assert pixels(path)[0].tolist() == [[255, 0, 0], [0, 255, 255], [0, 0, 0], [255, 255, 255]]


def test_cmyk_jpeg_is_not_inverted(tmp_path):
    path = save(tmp_path, "cmyk.jpg", Image.new("CMYK", (16, 16), (0, 255, 255, 0)), quality=95)
    assert np.abs(pixels(path).reshape(-1, 3).mean(0) - [255, 0, 0]).max() < 4


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_are_scaled_not_clipped(tmp_path, suffix):
    grey = np.array([[0, 257], [128 * 257 + 100, 65535]], np.uint16)
    path = save(tmp_path, f"deep.{suffix}", Image.fromarray(grey))
    assert Image.open(path).mode == "I;16"
    assert pixels(path)[..., 2].tolist() == [[0, 1], [128, 255]]


def test_16_bit_colour_is_scaled(tmp_path):
    cv2 = pytest.importorskip("cv2")
    deep = RGB.astype(np.uint16) * 257
    cv2.imwrite(str(tmp_path / "deep.png"), deep[..., ::-1])
    assert np.abs(pixels(tmp_path / "deep.png").astype(int) - RGB).max() <= 1


# What a camera held that way has to do with the stored rows to stand upright (EXIF 2.3, tag 0x112).
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_applied(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(tmp_path, "turned.png", Image.fromarray(RGB), exif=exif)
    assert np.array_equal(pixels(path), UPRIGHT[orientation](RGB))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tif"])
def test_first_frame_of_an_animation(tmp_path, suffix):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue", "lime")]
    options = {"lossless": True} if suffix == "webp" else {}
    path = tmp_path / f"moving.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], **options)
    assert Image.open(path).n_frames == 3
    assert np.unique(pixels(path).reshape(-1, 3), axis=0).tolist() == [[255, 0, 0]]


def test_lossy_kinds_are_near(tmp_path):
    smooth = np.repeat(np.linspace(0, 255, 64, dtype=np.uint8)[:, None], 64, 1)
    for name in ("a.jpg", "a.webp"):
        path = save(tmp_path, name, Image.fromarray(np.dstack([smooth] * 3)), quality=95)
        assert np.abs(pixels(path).astype(int)[..., 1] - smooth).mean() < 3


# --- bad files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["png", "jpg", "webp", "gif", "bmp", "tif"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_truncated_file_is_named(tmp_path, kind, share):
    path = save(tmp_path, f"cut.{kind}", Image.fromarray(np.tile(RGB, (3, 3, 1))))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(PictureError) as error:
        images.load(path)
    assert_one_sentence(str(error.value), path)


@pytest.mark.parametrize("content", [b"", b"no picture, whatever its name says\n" * 9, b"\x89PNG"])
def test_file_that_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "text.png"
    path.write_bytes(content)
    with pytest.raises(PictureError) as error:
        images.load(path)
    assert_one_sentence(str(error.value), path)


def test_missing_file_and_folder_are_named(tmp_path):
    for path in (tmp_path / "gone.png", tmp_path):
        with pytest.raises(PictureError) as error:
            images.load(path)
        assert_one_sentence(str(error.value), path)


def png_of_size(width: int, height: int) -> bytes:
    """A few hundred bytes that claim to be a picture of any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + data


@pytest.mark.parametrize("side", [11_000, 60_000])  # below and above Pillow's own limit
def test_decompression_bomb_is_refused(tmp_path, side):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of_size(side, side))
    with pytest.raises(PictureError, match="100,000,000 pixels") as error:
        images.load(path)
    assert_one_sentence(str(error.value), path)


def test_the_limit_itself_is_allowed(tmp_path, monkeypatch):
    path = save(tmp_path, "rgb.png", Image.fromarray(RGB))
    monkeypatch.setattr(pictures, "MAX_PIXELS", RGB.shape[0] * RGB.shape[1])
    assert np.array_equal(pixels(path), RGB)
    monkeypatch.setattr(pictures, "MAX_PIXELS", RGB.shape[0] * RGB.shape[1] - 1)
    with pytest.raises(PictureError):
        images.load(path)


@pytest.fixture
def started(monkeypatch) -> list[str]:
    """Names of the programs that Pillow would have started."""
    calls: list[str] = []

    def ghostscript(*_: object, **__: object):
        calls.append("gs")
        return Image.new("RGB", (9, 9)).im

    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", ghostscript)
    return calls


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF\n"


@pytest.mark.parametrize("name", ["figure.png", "figure.jpg", "figure.eps"])
def test_only_the_listed_formats_are_opened(tmp_path, started, name):
    path = tmp_path / name
    path.write_bytes(EPS)
    with pytest.raises(PictureError, match="is none of the pictures that are read .JPEG, PNG"):
        images.load(path)
    assert not started
    with Image.open(path) as picture:  # Pillow itself would have run it
        picture.load()
    assert started == ["gs"]


def test_a_right_picture_with_a_wrong_suffix_is_read(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.jpg", "PNG")
    assert np.array_equal(pixels(tmp_path / "a.jpg"), RGB)


@pytest.mark.parametrize(
    ("levels", "kind"),
    [
        (np.linspace(0, 1, 81, dtype=np.float32), "floating-point"),
        (np.linspace(0, 255, 81, dtype=np.float32), "floating-point"),
        (np.linspace(0, 2**31 - 1, 81).astype(np.int32), "32-bit or signed"),
        (np.linspace(0, 255, 81).astype(np.int32), "32-bit or signed"),
    ],
)
def test_levels_without_a_known_range_are_refused(tmp_path, levels, kind):
    path = save(tmp_path, "deep.tif", Image.fromarray(levels.reshape(9, 9)))
    with pytest.raises(PictureError, match=f"has {kind} levels") as error:
        images.load(path)
    assert_one_sentence(str(error.value), path)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_16_bits_of_which_few_are_used_are_refused_and_not_black(tmp_path, suffix, bits):
    grey = np.linspace(0, 2**bits - 1, 81).astype(np.uint16).reshape(9, 9)
    path = save(tmp_path, f"raw.{suffix}", Image.fromarray(grey))
    with pytest.raises(PictureError, match=f"uses {2**bits - 1:,} of its 65,536 levels") as error:
        images.load(path)
    assert_one_sentence(str(error.value), path)
    path = save(tmp_path, f"full.{suffix}", Image.fromarray(grey * 2 ** (16 - bits)))
    assert pixels(path).max() >= 254


def test_12_bit_colour_in_16_is_refused(tmp_path):
    cv2 = pytest.importorskip("cv2")
    cv2.imwrite(str(tmp_path / "raw.png"), RGB.astype(np.uint16) * 16)
    with pytest.raises(PictureError, match="would be all but black"):
        images.load(tmp_path / "raw.png")


def test_a_jpeg_of_thousands_of_passes_is_refused(tmp_path, monkeypatch):
    path = save(tmp_path, "many.jpg", Image.fromarray(RGB), progressive=True)
    monkeypatch.setattr(pictures, "MAX_PIXELS", RGB.shape[0] * RGB.shape[1])
    assert pixels(path).shape == RGB.shape
    content = path.read_bytes()
    last = content[content.rindex(b"\xff\xda") : -2]
    path.write_bytes(content[:-2] + 30 * last + b"\xff\xd9")
    with pytest.raises(PictureError, match="is a JPEG of 40 passes") as error:
        images.load(path)
    assert_one_sentence(str(error.value), path)


def test_camera_files_of_several_pictures_show_the_first(tmp_path):
    first, second = (Image.fromarray(np.full((16, 16, 3), v, np.uint8)) for v in (200, 20))
    first.save(tmp_path / "DSC_1.JPG", "MPO", save_all=True, append_images=[second])
    assert abs(int(pixels(tmp_path / "DSC_1.JPG")[0, 0, 0]) - 200) <= 2


# --- memory -------------------------------------------------------------------------------------


def test_remembered_pictures_are_bounded_in_bytes_and_read_anew_when_changed(tmp_path, monkeypatch):
    folder = make_folder(tmp_path / "set", 6, size=40)
    monkeypatch.setattr(images.load_cached, "_limit", 3 * 3 * 40 * 40 + 99)
    images.load_cached.cache_clear()
    for path in images.list_folder(folder):
        images.load_cached(path)
    info = images.load_cached.cache_info()
    assert info.currsize == 3 and info.bytes == 3 * 3 * 40 * 40
    path = folder / "005.png"
    Image.fromarray(np.full((40, 40, 3), 77, np.uint8)).save(path)
    assert images.load_cached(path).unique().tolist() == [77]
    images.load_cached.cache_clear()


def test_pictures_that_memory_cannot_hold_give_the_same_crops_from_fewer_readings(
    tmp_path, monkeypatch
):
    folder = str(make_folder(tmp_path / "set", 10, size=40))
    whole = images.patches(folder, 40, 16, 5)
    readings = []
    monkeypatch.setattr(
        images, "load_cached", lambda path: readings.append(path) or images.load(path)
    )
    assert torch.equal(images.patches(folder, 40, 16, 5), whole)
    assert len(readings) == len(set(readings)) == 8  # the training pictures, for five rounds


def test_crops_for_tests_do_not_hold_the_whole_picture(tmp_path):
    folder = make_folder(tmp_path / "set", 6, size=40)
    for crop in images.test_pictures(str(folder), 4, crop=8):
        assert crop.untyped_storage().nbytes() == 3 * 8 * 8


# --- sets and patches ---------------------------------------------------------------------------


def make_folder(folder, count: int, size: int = 48):
    """Pictures with texture whose red channel's parity pattern tells which one it is."""
    folder.mkdir(exist_ok=True)
    for index in range(count):
        picture = RNG.integers(0, 256, (size, size, 3), dtype=np.uint8)
        picture[..., 0] = index  # red is the number of the picture
        Image.fromarray(picture).save(folder / f"{index:03}.png")
    return folder


def origins(patches: torch.Tensor) -> list[int]:
    return patches[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("seed", [0, 1])
def test_patch_sets_are_nested(seed):
    few, many = (images.patches("embedded", count, 32, seed) for count in (8, 64))
    assert few.shape == (8, 3, 32, 32) and few.dtype == torch.uint8
    assert torch.equal(many[:8], few)
    assert len(torch.unique(many, dim=0)) == 64  # no patch twice


def test_patches_depend_on_the_seed_alone():
    assert torch.equal(images.patches("embedded", 6, 32, 0), images.patches("embedded", 6, 32, 0))
    assert not torch.equal(
        images.patches("embedded", 6, 32, 0), images.patches("embedded", 6, 32, 1)
    )


def test_patches_come_from_as_many_pictures_as_there_are(tmp_path):
    folder = str(make_folder(tmp_path / "set", 10))
    train = {int(path.stem) for path in images.names(folder, "train")}
    assert sorted(origins(images.patches(folder, 8, 16, 3))) == sorted(train)
    thrice = origins(images.patches(folder, 24, 16, 3))
    assert all(thrice.count(number) == 3 for number in train)


def test_patches_are_crops_of_training_pictures(tmp_path):
    folder = str(make_folder(tmp_path / "set", 6, size=20))
    for patch in images.patches(folder, 10, 16, 0):
        whole = images.load(tmp_path / "set" / f"{int(patch[0, 0, 0]):03}.png")
        windows = whole.unfold(1, 16, 1).unfold(2, 16, 1)  # (3, 5, 5, 16, 16): all crops
        assert (windows == patch[:, None, None]).all((0, 3, 4)).any()


@pytest.mark.parametrize("count", [2, 3, 5, 6, 11, 23])
def test_training_and_test_pictures_are_disjoint_and_complete(tmp_path, count):
    folder = make_folder(tmp_path / "set", count, size=2)
    train, test = (images.names(str(folder), split) for split in ("train", "test"))
    assert train and test and not set(train) & set(test)
    assert sorted(train + test) == sorted(folder.iterdir())


def test_embedded_photographs_are_there_and_disjoint():
    train, test = (images.names("embedded", split) for split in ("train", "test"))
    assert not set(train) & set(test)
    for path in train + test:
        picture = images.load(path).double()
        assert min(picture.shape[1:]) >= 192  # the largest crop that the scales ask for
        assert picture.std() > 20
        # In colour: the channels are not copies of each other.
        assert (picture[0] - picture[2]).abs().mean() > 2


def test_patches_without_content_are_passed_over(tmp_path):
    folder = make_folder(tmp_path / "set", 4)
    for name in ("flat1.png", "flat2.png"):
        Image.new("RGB", (48, 48), (90, 91, 90)).save(folder / name)
    half = np.full((48, 200, 3), 77, np.uint8)
    half[:, 150:, 1:] = RNG.integers(0, 256, (48, 50, 2), dtype=np.uint8)
    Image.fromarray(half).save(folder / "half.png")
    patches = images.patches(str(folder), 40, 16, 0)
    assert patches.double().std((1, 2, 3)).min() >= 4
    assert set(origins(patches)) == {1, 2, 3, 77}  # 000 is a test picture, by its place


def test_set_without_any_content_is_refused(tmp_path):
    for index in range(3):
        Image.new("RGB", (20, 20), (index, 9, 9)).save(tmp_path / f"{index}.png")
    with pytest.raises(PictureError, match="content"):
        images.patches(str(tmp_path), 1, 16, 0)


def test_picture_smaller_than_a_patch_is_named(tmp_path):
    folder = make_folder(tmp_path / "set", 2, size=10)
    with pytest.raises(PictureError) as error:
        images.patches(str(folder), 4, 16, 0)
    assert_one_sentence(str(error.value), folder / "001.png")
    assert "16x16" in str(error.value) and "10x10" in str(error.value)


def test_pictures_below_the_crop_are_all_named(tmp_path):
    folder = make_folder(tmp_path / "set", 12, size=20)
    for number in range(3, 9):
        Image.fromarray(RGB[:10]).save(folder / f"{number:03}.png")
    for use in (
        lambda: images.patches(str(folder), 12, 16, 0),
        lambda: images.test_pictures(str(folder), 3, crop=16),
    ):
        with pytest.raises(
            PictureError, match="is 16x10 pixels, smaller than a patch of 16x16"
        ) as e:
            use()
        assert_one_sentence(str(e.value), folder)
        others = len(re.findall(r"00\d\.png", str(e.value)))
        assert others == (1 if "005.png is" in str(e.value) else 4)
    assert "005.png is" in str(e.value)  # among the test pictures it is the only one


def test_sets_that_cannot_be_used_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv("RAINLENS_DATA", raising=False)
    with pytest.raises(PictureError, match="no_such_set"):
        images.names("no_such_set", "train")
    with pytest.raises(PictureError, match="RAINLENS_DATA"):
        images.names("natural", "train")
    with pytest.raises(PictureError, match="0 picture"):
        images.names(str(tmp_path), "train")
    with pytest.raises(PictureError, match="split"):
        images.names("embedded", "validation")


def test_other_files_in_a_folder_are_left_alone(tmp_path):
    folder = make_folder(tmp_path / "set", 3, size=2)
    (folder / "licence.txt").write_text("text")
    (folder / ".003.png").write_bytes(b"half a download")
    assert [path.name for path in images.list_folder(folder)] == ["000.png", "001.png", "002.png"]


# --- test pictures and conversions --------------------------------------------------------------


def test_test_pictures_are_centres_then_further_crops(tmp_path):
    folder = make_folder(tmp_path / "set", 6, size=20)  # test pictures: 000 and 005
    chosen = images.test_pictures(str(folder), 4, crop=8)
    assert [int(picture[0, 0, 0]) for picture in chosen] == [0, 5, 0, 5]
    assert torch.equal(chosen[0], images.load(folder / "000.png")[:, 6:14, 6:14])
    assert not torch.equal(chosen[0], chosen[2])
    longer = images.test_pictures(str(folder), 5, crop=8)
    assert all(torch.equal(a, b) for a, b in zip(chosen, longer, strict=False))
    assert images.test_pictures(str(folder), 1)[0].shape == (3, 20, 20)


def test_bytes_and_units_are_inverse():
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(images.to_bytes(images.to_unit(levels)), levels)
    assert images.to_unit(levels).max() == 1 and images.to_unit(levels).dtype == torch.float32
    rounded = images.to_bytes(torch.tensor([-0.5, 1.7, 0.4 / 255, 0.6 / 255]))
    assert rounded.tolist() == [0, 255, 0, 1]


def test_webp_looks_the_same(tmp_path):
    picture = images.load(images.names("embedded", "test")[0])[:, :64, :64]
    (tmp_path / "a.webp").write_bytes(images.encode_webp(picture))
    difference = images.load(tmp_path / "a.webp").double() - picture.double()
    assert difference.abs().mean() < 4


def test_webp_can_keep_every_value(tmp_path):
    picture = images.load(images.names("embedded", "test")[0])[:, :64, :64]
    (tmp_path / "a.webp").write_bytes(images.encode_webp(picture, lossless=True))
    assert torch.equal(images.load(tmp_path / "a.webp"), picture)


def test_groups_of_equal_size():
    a, b = torch.zeros(3, 4, 5), torch.zeros(3, 5, 4)
    assert images.group_by_size([a, b, a, a, b]) == [[0, 2, 3], [1, 4]]
