"""The compatibility page says what the data says."""

from pathlib import Path

from wiesel.compat import page
from wiesel.compat.status import Support

PAGE = Path(__file__).parents[3] / "docs" / "compatibility.md"


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page.render(), "python -m wiesel.compat.page > docs/compatibility.md"


def test_nearly_every_member_of_the_rooms_is_supported_and_the_rest_is_explained() -> None:
    for without_jvm in (False, True):
        supported, count = page.supported_share(without_jvm=without_jvm)
        assert supported / count >= 0.97
    unexplained = [
        name
        for module in page.ROOMS
        for name, status in page.members(module)
        if status is None or (status.support is not Support.SUPPORTED and not status.reason)
    ]
    assert unexplained == []


def test_the_proofs_are_tests_that_exist() -> None:
    root = Path(__file__).parents[3]
    missing = {
        status.test
        for module in page.ROOMS
        for _, status in page.members(module)
        if status is not None and status.test and not (root / status.test.partition("::")[0]).exists()
    }
    assert missing == set()
