"""Drawn digits: any picture becomes what MNIST looks like, or an error in a sentence."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw
from scipy import ndimage

from cnn_core import datasets
from cnn_core.drawing import prepare, read_image
from cnn_core.errors import ImageError


def file_of(image: Image.Image, format: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def seven(mode: str, paper, ink, size: int = 200) -> Image.Image:
    """A seven drawn with a thick pen."""
    image = Image.new(mode, (size, size), paper)
    points = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]
    ImageDraw.Draw(image).line([(x * size, y * size) for x, y in points], ink, width=size // 12, joint="curve")
    return image


REFERENCE = prepare(seven("L", 255, 0)).pixels.astype(int)


def looks_like_the_seven(pixels: np.ndarray) -> bool:
    """Whether the ink is in the same places, give or take anti-aliasing."""
    return np.abs(pixels.astype(int) - REFERENCE).mean() < 6


def framed(digit: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A digit of MNIST on a large sheet: enlarged, at 30 to 100 % of the sheet, anywhere on it, dark on light or light on dark."""
    sheet = 280
    side = int(sheet * random.uniform(0.3, 1.0))
    left, top = random.integers(0, sheet - side + 1, 2)
    canvas = Image.new("L", (sheet, sheet), 0)
    canvas.paste(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC), (int(left), int(top)))
    pixels = np.asarray(canvas)
    return 255 - pixels if random.integers(2) else pixels


def test_enlarged_digits_are_read_as_well_as_untouched_ones(trained):
    """All 1,000 test images. One point, as ten of them, is about the noise of a network trained for two epochs."""
    from cnn_core.inference import TrainedModel

    data = datasets.load("mnist-5k")
    random = np.random.default_rng(0)
    prepared = [prepare(framed(image[..., 0], random)) for image in data.x_test]
    assert not any(digit.empty for digit in prepared)
    model = TrainedModel(trained.spec, trained.folder / "model.weights.h5")

    def accuracy(images: np.ndarray) -> float:
        return (model.probabilities(images).argmax(axis=1) == data.y_test).mean()

    untouched, drawn = accuracy(data.x_test), accuracy(np.stack([digit.pixels for digit in prepared]))
    assert drawn >= untouched - 0.01, (untouched, drawn)


@pytest.mark.parametrize(
    "image",
    [
        Image.new("L", (280, 280), 255),
        Image.new("L", (280, 280), 0),
        Image.new("RGB", (31, 17), (90, 120, 200)),
        Image.new("RGBA", (280, 280), (0, 0, 0, 0)),
        Image.new("RGBA", (280, 280), (255, 255, 255, 0)),
        Image.new("I;16", (50, 50), 40_000),
        Image.new("1", (28, 28), 1),
        Image.new("L", (1, 1), 7),
        Image.new("L", (3000, 1), 7),
    ],
)
def test_blank_pictures_are_empty(image):
    for picture in (image, read_image(file_of(image))):
        digit = prepare(picture)
        assert digit.empty and digit.pixels.shape == (28, 28) and not digit.pixels.any()


def test_faint_noise_is_no_digit():
    random = np.random.default_rng(0)
    assert prepare((250 + random.integers(-5, 6, (280, 280))).astype(np.uint8)).empty
    assert prepare(Image.fromarray(random.integers(0, 40, (100, 100)).astype(np.uint16))).empty


@pytest.mark.parametrize(
    "image",
    [
        seven("L", 0, 255),
        seven("RGB", (255, 255, 255), (20, 20, 120)),
        seven("RGB", (30, 60, 30), (240, 240, 200)),
        seven("RGBA", (0, 0, 0, 0), (0, 0, 0, 255)),
        seven("RGBA", (0, 0, 0, 0), (255, 255, 255, 255)),
        seven("RGBA", (255, 255, 255, 255), (0, 0, 0, 255)),
        seven("LA", (0, 0), (0, 255)),
        seven("1", 1, 0),
        seven("I;16", 65_535, 0),
        seven("I;16", 0, 65_535),
        seven("RGB", (255, 255, 255), (20, 20, 120)).quantize(8),
        seven("L", 255, 0, size=1500),
        seven("RGBA", (0, 0, 0, 0), (0, 0, 0, 255), size=1500),
        seven("I;16", 65_535, 0, size=1500),
        seven("1", 1, 0, size=1500),
        seven("RGB", (255, 255, 255), (20, 20, 120), size=1500).quantize(8),
    ],
    ids=lambda image: f"{image.mode}-{image.width}",
)
def test_every_kind_of_png_gives_the_same_digit(image):
    digit = prepare(read_image(file_of(image)))
    assert not digit.empty and looks_like_the_seven(digit.pixels)


def test_palettes_and_16_bit_with_transparency():
    palette = seven("RGB", (255, 0, 255), (0, 0, 0)).quantize(8)
    paper = palette.getpixel((0, 0))
    assert looks_like_the_seven(prepare(read_image(file_of(palette, transparency=paper))).pixels)
    deep = file_of(seven("I;16", 65_535, 0))
    colour = b"tRNS" + struct.pack(">H", 65_535)
    chunk = struct.pack(">I", 2) + colour + struct.pack(">I", zlib.crc32(colour))
    end = deep.index(b"IDAT") - 4
    assert looks_like_the_seven(prepare(read_image(deep[:end] + chunk + deep[end:])).pixels)


@pytest.mark.parametrize("mode", ["CMYK", "L", "RGB"])
def test_jpegs(mode):
    data = file_of(seven("RGB", (255, 255, 255), (0, 0, 0)).convert(mode), "JPEG", quality=70)
    assert looks_like_the_seven(prepare(read_image(data)).pixels)


def test_a_photo_is_turned_as_its_camera_says():
    turned = seven("L", 255, 0).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    assert looks_like_the_seven(prepare(read_image(file_of(turned, "JPEG", exif=exif))).pixels)


def test_a_sheet_lit_from_one_side():
    light = np.linspace(0.55, 1, 200)[np.newaxis]
    photo = (np.asarray(seven("L", 230, 40)) * light).astype(np.uint8)
    assert looks_like_the_seven(prepare(photo).pixels)


def test_the_picture_that_was_given_stays_as_it_was():
    image = seven("L", 255, 0, size=900)
    before = image.copy()
    prepare(image)
    assert image == before


def test_an_animation_gives_its_first_frame():
    frames = [seven("L", 255, 0), Image.new("L", (200, 200), 255), Image.new("L", (200, 200), 0)]
    animated = file_of(frames[0], save_all=True, append_images=frames[1:], duration=100)
    assert b"acTL" in animated
    assert looks_like_the_seven(prepare(read_image(animated)).pixels)
    with pytest.raises(ImageError, match="not a picture that can be read"):
        read_image(file_of(frames[0], "GIF", save_all=True, append_images=frames[1:]))


def huge_png(side: int) -> bytes:
    return file_of(Image.new("1", (side, side), 1))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"This is a text file.", "This file is not a picture that can be read. Choose a PNG or JPG of one digit."),
        (b"", "This file is not a picture that can be read. Choose a PNG or JPG of one digit."),
        (file_of(seven("L", 255, 0))[:200], "The picture is damaged"),
        (file_of(seven("L", 255, 0))[:20], "picture"),
        (file_of(seven("RGB", 255, 0), "JPEG")[:1000], "The picture is damaged"),
        (huge_png(20_000), "at most 25 million|more than 25 million"),
        (huge_png(6_000), "The picture has 6,000 x 6,000 pixels, at most 25 million are read. Make it smaller and try again."),
        (bytes(20_000_001), "The file has 20.0 MB, at most 20 MB are read. Save it smaller and try again."),
    ],
    ids=["text", "nothing", "half a png", "a png's head", "half a jpeg", "400 million pixels", "36 million pixels", "bytes"],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_files_that_cannot_be_read(data, sentence):
    with pytest.raises(ImageError, match=sentence) as caught:
        read_image(data)
    assert len(str(caught.value).splitlines()) == 1


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60), st.integers(0, 400), st.booleans())
def test_a_damaged_file_is_read_or_refused(noise, place, cut):
    data = bytearray(file_of(seven("L", 255, 0, size=40)))
    data[place : place + len(noise)] = noise
    try:
        image = read_image(bytes(data[:-place] if cut and place else data))
    except ImageError:
        return
    assert prepare(image).pixels.shape == (28, 28)


def sides(pixels: np.ndarray) -> tuple[int, int]:
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_the_long_side_is_twenty_and_the_aspect_stays():
    for width, height in ((30, 120), (120, 30), (90, 90)):
        paper = np.full((280, 280), 255, np.uint8)
        paper[50 : 50 + height, 20 : 20 + width] = 0
        assert sides(prepare(paper).pixels) == (round(20 * height / max(width, height)), round(20 * width / max(width, height)))


def test_the_centre_of_mass_is_at_fourteen_unless_the_edge_is_in_the_way():
    centres = []
    for image in datasets.load("mnist-5k").x_test[:100]:
        digit = prepare(np.kron(image[..., 0], np.ones((6, 6), np.uint8)))
        centres.append(ndimage.center_of_mass(digit.pixels))
        assert max(sides(digit.pixels)) == 20
    np.testing.assert_allclose(centres, 14, atol=0.75)
    # Nearly all the ink at one end: centred, the other end would be off the sheet.
    paper = np.zeros((280, 280), np.uint8)
    paper[40:60, 40:240], paper[60:240, 40:42] = 255, 120
    pixels = prepare(paper).pixels
    assert sides(pixels) == (20, 20) and ndimage.center_of_mass(pixels)[0] < 13 and pixels[-1].any()


def test_dirt_is_left_out():
    clean = np.asarray(seven("L", 255, 0))
    dirty = clean.copy()
    dirty[190:192, 5:7] = 0
    np.testing.assert_array_equal(prepare(dirty).pixels, prepare(clean).pixels)


shapes = st.tuples(st.integers(1, 64), st.integers(1, 64))


@settings(deadline=None, max_examples=300)
@given(
    st.one_of(
        arrays.arrays(np.uint8, shapes),
        arrays.arrays(np.uint8, st.tuples(st.integers(1, 64), st.integers(1, 64), st.sampled_from((3, 4)))),
        arrays.arrays(np.uint8, shapes, elements=st.sampled_from((0, 255)), fill=st.nothing()),
    )
)
def test_no_array_is_too_strange(picture):
    before = picture.copy()
    digit = prepare(picture)
    assert digit.pixels.shape == (28, 28) and digit.pixels.dtype == np.uint8
    assert digit.empty == (not digit.pixels.any())
    np.testing.assert_array_equal(picture, before)
