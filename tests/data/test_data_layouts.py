"""The benchmarks in miniature, in every layout they come in; and anybody's own folders."""

import numpy as np
import pytest

from diml_core import InputError
from diml_core.data import LabelledImages, cars196, cub200, load_dataset, sop
from diml_core.data.counts import Counts

MINI = {"train": Counts(4, 2), "test": Counts(6, 2)}  # 2 images a class, 3 in test
BIRDS = ["001.Albatross", "002.Auklet", "003.Blackbird", "004.Bunting"]
CARS = ["AM General Hummer", "Acura RL", "BMW M3", "smart fortwo"]


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def names(dataset):
    return [(s.label, s.class_name, s.path.name) for s in dataset.samples]


def cub_images(folder):
    made = []
    for number, bird in enumerate(BIRDS):
        for index in range(2 if number < 2 else 3):
            made.append(touch(folder / "images" / bird / f"{bird[4:]}_{index}.jpg"))
    touch(folder / "images" / BIRDS[0] / "._Albatross_0.jpg")  # what macOS leaves in archives
    touch(folder / "images" / BIRDS[0] / "notes.txt")
    return made


def cub_authors(root):
    cub_images(root / "cub200")


def cub_distributed(root):
    folder = root / "CUB_200_2011"
    images = cub_images(folder)
    touch(folder / "images" / BIRDS[0] / "not_listed.jpg")
    lines = [f"{i} {p.parent.name}/{p.name}" for i, p in enumerate(images, 1)]
    (folder / "images.txt").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("layout", [cub_authors, cub_distributed])
def test_cub200_reads_both_layouts(layout, tmp_path):
    layout(tmp_path)
    train = load_dataset("cub200", tmp_path, "train", expected=MINI)
    test = load_dataset("cub200", tmp_path, "test", expected=MINI)
    assert train.classes == tuple(BIRDS[:2])
    assert test.classes == tuple(BIRDS[2:])
    assert names(train)[0] == (0, "001.Albatross", "Albatross_0.jpg")
    assert test.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert test.labels.dtype == np.int64
    assert all(s.path.is_file() for s in test.samples)


def test_the_data_sets_own_folder_is_as_good_as_its_parent(tmp_path):
    cub_authors(tmp_path)
    assert names(load_dataset("cub200", tmp_path / "cub200", "train", expected=MINI)) == names(
        load_dataset("cub200", tmp_path, "train", expected=MINI)
    )


def car_images(folder):
    return [
        (number, touch(folder / f"{number}{index}.jpg"))
        for number in range(len(CARS))
        for index in range(2 if number < 2 else 3)
    ]


def cars_authors(root):
    for number, car in enumerate(CARS):
        for index in range(2 if number < 2 else 3):
            touch(root / "cars196" / "images" / car / f"{number}{index}.jpg")


def cars_annotated(root):
    io = pytest.importorskip("scipy.io", reason="writing .mat needs SciPy")
    images = car_images(root / "car_ims")
    kind = np.dtype([("relative_im_path", object), ("class", object), ("test", object)])
    rows = np.array([[(f"car_ims/{p.name}", n + 1, n % 2) for n, p in images]], dtype=kind)
    io.savemat(
        root / "cars_annos.mat",
        {"annotations": rows, "class_names": np.array([CARS], dtype=object)},
    )


def cars_devkit(root):
    io = pytest.importorskip("scipy.io", reason="writing .mat needs SciPy")
    io.savemat(
        touch(root / "devkit" / "cars_meta.mat"), {"class_names": np.array([CARS], dtype=object)}
    )
    kind = np.dtype([("fname", object), ("class", object)])
    images = car_images(root / "cars_train")
    moved = [(n, p) for n, p in images if p.stem.endswith("0")]
    (root / "cars_test").mkdir()
    for _, path in moved:
        path.rename(root / "cars_test" / path.name)
    for file, rows in (
        ("cars_train_annos.mat", [x for x in images if x not in moved]),
        ("cars_test_annos_withlabels.mat", moved),
    ):
        annotations = np.array([[(p.name, n + 1) for n, p in rows]], dtype=kind)
        io.savemat(root / "devkit" / file, {"annotations": annotations})


@pytest.mark.parametrize("layout", [cars_authors, cars_annotated, cars_devkit])
def test_cars196_reads_all_layouts(layout, tmp_path):
    layout(tmp_path)
    train = load_dataset("cars196", tmp_path, "train", expected=MINI)
    test = load_dataset("cars196", tmp_path, "test", expected=MINI)
    assert sorted(s.path.name for s in train.samples) == ["00.jpg", "01.jpg", "10.jpg", "11.jpg"]
    assert [name[-len(car) :] for name, car in zip(test.classes, CARS[2:], strict=True)] == CARS[2:]
    assert test.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert all(s.path.is_file() for s in (*train.samples, *test.samples))


def sop_lists(folder, images, name):
    folder.mkdir(parents=True, exist_ok=True)
    for split, (first, count) in {"train": (1, 2), "test": (3, 3)}.items():
        lines = ["image_id class_id super_class_id path"]
        for product in (first, first + 1):
            for index in range(count):
                path = f"bicycle_final/{product}_{index}.JPG"
                touch(images / path)
                lines.append(f"{len(lines)} {product} 1 {path}")
        (folder / name.format(split)).write_text("\n".join(lines) + "\n")


def sop_authors(root):
    base = root / "online_products"
    sop_lists(base / "Info_Files", base / "images", "Ebay_{}.txt")


def sop_distributed(root):
    base = root / "Stanford_Online_Products"
    sop_lists(base, base, "Ebay_{}.txt")


@pytest.mark.parametrize("layout", [sop_authors, sop_distributed])
def test_sop_reads_both_layouts(layout, tmp_path):
    layout(tmp_path)
    train = load_dataset("sop", tmp_path, "train", expected=MINI)
    test = load_dataset("sop", tmp_path, "test", expected=MINI)
    assert train.classes == ("00001 bicycle", "00002 bicycle")
    assert test.classes == ("00003 bicycle", "00004 bicycle")
    assert test.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert all(s.path.is_file() for s in test.samples)


@pytest.mark.parametrize(
    ("name", "layout", "expected"),
    [
        ("cub200", cub_authors, "2 classes where the benchmark has 100"),
        ("cars196", cars_authors, "2 classes where the benchmark has 98"),
        ("sop", sop_distributed, "2 classes where the benchmark has 11,318"),
    ],
)
def test_other_counts_than_the_benchmarks_are_refused_with_both_numbers(
    name, layout, expected, tmp_path
):
    layout(tmp_path)
    with pytest.raises(InputError, match=expected):
        load_dataset(name, tmp_path, "train")
    one_more = {"train": Counts(5, 2), "test": Counts(6, 2)}
    with pytest.raises(InputError, match="has 4 images where the benchmark has 5"):
        load_dataset(name, tmp_path, "train", expected=one_more)
    assert len(load_dataset(name, tmp_path, "train", expected=None)) == 4


def test_the_benchmarks_counts_are_the_published_ones():
    for module, train, test in (
        (cub200, (5864, 100), (5924, 100)),
        (cars196, (8054, 98), (8131, 98)),
        (sop, (59551, 11318), (60502, 11316)),
    ):
        assert {"train": Counts(*train), "test": Counts(*test)} == module.EXPECTED


def test_a_listed_image_that_is_missing_is_named(tmp_path):
    cub_distributed(tmp_path)
    (tmp_path / "CUB_200_2011" / "images" / BIRDS[1] / "Auklet_1.jpg").unlink()
    with pytest.raises(InputError, match=r"Auklet_1\.jpg"):
        load_dataset("cub200", tmp_path, "train", expected=None)
    sop_authors(tmp_path)
    (tmp_path / "online_products" / "images" / "bicycle_final" / "4_0.JPG").unlink()
    with pytest.raises(InputError, match=r"4_0\.JPG"):
        load_dataset("sop", tmp_path, "test", expected=None)


def test_a_list_of_another_form_is_refused(tmp_path):
    sop_distributed(tmp_path)
    listing = tmp_path / "Stanford_Online_Products" / "Ebay_test.txt"
    text = listing.read_text()
    listing.write_text(text.replace("super_class_id", "group"))
    with pytest.raises(InputError, match="image_id class_id super_class_id path"):
        load_dataset("sop", tmp_path, "test", expected=None)
    listing.write_text(text + "99 7 1\n")
    with pytest.raises(InputError, match=r"Line 8 .* has 3 fields where 4"):
        load_dataset("sop", tmp_path, "test", expected=None)


@pytest.mark.parametrize("name", ["cub200", "cars196", "sop"])
def test_an_empty_root_says_where_was_looked(name, tmp_path):
    with pytest.raises(InputError, match=f"{tmp_path}.*--root"):
        load_dataset(name, tmp_path, "test")


def test_unknown_names_and_splits_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no data set 'cub'.*cub200"):
        load_dataset("cub", tmp_path, "test")
    with pytest.raises(InputError, match=r"no split 'val'.*train, validation, test"):
        load_dataset("cub200", tmp_path, "val")


@pytest.fixture
def photos(tmp_path):
    for index, name in enumerate("abcde"):
        for number in range(2 + index):
            touch(tmp_path / "mine" / name / "deep" / f"{number}.png")
    touch(tmp_path / "mine" / ".cache" / "0.png")
    return tmp_path / "mine"


@pytest.mark.parametrize(
    ("ratio", "train", "test"), [(0.4, "ab", "cde"), (0.5, "ab", "cde"), (0.8, "abcd", "e")]
)
def test_folder_shares_the_classes_out_by_ratio(photos, ratio, train, test):
    found = [load_dataset("folder", photos, s, ratio=ratio).classes for s in ("train", "test")]
    assert found == [tuple(train), tuple(test)]


def test_folder_takes_a_split_that_is_laid_out(tmp_path):
    for split, classes in (("train", "xy"), ("test", "z")):
        for name in classes:
            touch(tmp_path / split / name / "0.png")
            touch(tmp_path / split / name / "1.png")
    assert load_dataset("folder", tmp_path, "train").classes == ("x", "y")
    assert load_dataset("folder", tmp_path, "test").classes == ("z",)
    with pytest.raises(InputError, match="no validation split"):
        load_dataset("folder", tmp_path, "validation")
    touch(tmp_path / "Val" / "v" / "0.png")
    touch(tmp_path / "Val" / "v" / "1.png")
    assert load_dataset("folder", tmp_path, "validation").classes == ("v",)
    assert load_dataset("folder", tmp_path, "train").classes == ("x", "y")
    touch(tmp_path / "train" / "z" / "0.png")
    with pytest.raises(InputError, match="'z' is in both test and train"):
        load_dataset("folder", tmp_path, "test")


def test_folder_without_a_layout_has_no_validation_split(photos):
    with pytest.raises(InputError, match="has no validation split: choose train or test"):
        load_dataset("folder", photos, "validation")


def test_folder_refuses_what_nothing_can_be_retrieved_in(photos, tmp_path):
    with pytest.raises(InputError, match=r"train split .* 0 images"):
        load_dataset("folder", photos, "train", ratio=0)
    with pytest.raises(InputError, match=r"0 to 1, not 1.5"):
        load_dataset("folder", photos, "train", ratio=1.5)
    with pytest.raises(InputError, match="does not exist"):
        load_dataset("folder", tmp_path / "nowhere", "train")
    for name in "ab":
        touch(tmp_path / "single" / name / "0.png")
    with pytest.raises(InputError, match="1 images in 1 classes"):
        load_dataset("folder", tmp_path / "single", "test")


def test_a_subset_is_labelled_anew(photos):
    dataset = load_dataset("folder", photos, "test", ratio=0)
    subset = dataset.subset_by_classes({"e", "b"})
    assert subset.classes == ("b", "e")
    assert subset.labels.tolist() == [0] * 3 + [1] * 6
    assert isinstance(subset, LabelledImages)
    with pytest.raises(InputError, match="no class 'q'"):
        dataset.subset_by_classes(["q"])
