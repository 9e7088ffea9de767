"""Names of new projects and drivers: what is taken, what is nearest, nothing that is a path or code."""

import pytest

from vextir_os.errors import UsageError
from vextir_os.scaffold.names import check_driver, check_project, class_name


@pytest.mark.parametrize("name", ["shop", "my-shop", "shop_2", "a1"])
def test_a_plain_name_is_a_projects(name: str) -> None:
    assert check_project(name) == name


@pytest.mark.parametrize("name", ["mail", "mail_reader", "x2"])
def test_a_python_name_is_a_drivers(name: str) -> None:
    assert check_driver(name) == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("My Shop", "`My Shop` is no name for a project. Did you mean `my-shop`?", id="spaces"),
        pytest.param("MyShop", "`MyShop` is no name for a project. Did you mean `my-shop`?", id="capitals"),
        pytest.param("../shop", "`../shop` is no name for a project. Did you mean `shop`?", id="path"),
        pytest.param("", "`` is no name for a project. Write it as `mail-reader`", id="empty"),
        pytest.param("7up", "`7up` is no name for a project. Write it as", id="digit"),
        pytest.param("a\nb", r"`a\nb` is no name for a project. Did you mean `a-b`?", id="newline"),
        pytest.param("-rf", "`-rf` is no name for a project. Did you mean `rf`?", id="option"),
        pytest.param("é", "`é` is no name for a project", id="not-ascii"),
        pytest.param(
            "driver", "a project cannot be called `driver`. For a driver: vextir new driver NAME", id="driver"
        ),
        pytest.param("vextir-os", "the name `vextir-os` is taken. Choose another, such as `my-vextir-os`", id="ours"),
        pytest.param("con", "the name `con` is taken", id="windows"),
        pytest.param("class", "the name `class` is taken", id="keyword"),
        pytest.param("a" * 41, "the name has 41 characters, at most 40 are allowed", id="long"),
    ],
)
def test_what_is_no_name_for_a_project_is_said_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_project(name)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("mail-reader", "`mail-reader` is no name for a driver. Did you mean `mail_reader`?", id="hyphen"),
        pytest.param("mail.reader", "`mail.reader` is no name for a driver. Did you mean `mail_reader`?", id="dots"),
        pytest.param("a/../../b", "`a/../../b` is no name for a driver. Did you mean `a_b`?", id="path"),
        pytest.param("import", "the name `import` is taken. Choose another, such as `my_import`", id="keyword"),
        pytest.param("index", "the name `index` is taken", id="index"),
    ],
)
def test_what_is_no_name_for_a_driver_is_said_with_the_nearest(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_driver(name)
    assert str(caught.value).startswith(message)


def test_a_class_is_called_after_its_driver() -> None:
    assert class_name("mail_reader_2") == "MailReader2"
