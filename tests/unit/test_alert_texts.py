"""What an alert says: sentences with codes, and the tab of the panel where the matter stands."""

import re
from datetime import datetime, timezone
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_TABS = set(re.findall(r"\bname: '(\w+)'", (ROOT / "static/js/index.js").read_text()))


def test_each_text_of_an_alert_has_a_code_and_names_a_tab_of_the_panel() -> None:
    from satmachineclient.words.told import SENTENCES

    source = (ROOT / "telling/alerts.py").read_text()
    texts = re.findall(r'_text\(\s*"(\w+)",\s*"(\w+)"', source)
    said = {code for _, code in texts} | set(re.findall(r'\bsay\("(\w+)"', source))
    assert len(said) >= 14 and said <= set(SENTENCES)
    tabs = {tab for tab, _ in texts} | set(re.findall(r'_gone": "(\w+)"', source))
    assert tabs | set(re.findall(r'link\("(\w+)"\)', source)) <= _TABS


@pytest.mark.parametrize(
    ("text", "codes", "tab"),
    [
        (
            "The source wallet holds 5 sats, less than 9. Top it up. "
            "https://a.example/satmachineclient/?tab=overview",
            ["source_wallet_below"],
            "overview",
        ),
        (
            "Payments that failed: 2, of 70 sats. See the reason, then retry. Sales whose credit "
            "or commission failed: 1. See the reason, then retry. "
            "http://a.example/satmachineclient/?tab=transactions",
            ["shares_failed", "sales_stuck"],
            "transactions",
        ),
        (
            "Polls fail; nothing is lost, and they are tried again. No answer. At all. "
            "http://a.example/satmachineclient/?tab=polls",
            ["polls_fail"],
            "polls",
        ),
        ("Nobody knows this.", [None], None),
    ],
)
def test_an_alert_goes_out_with_its_codes_and_its_tab(
    text: str, codes: list[str | None], tab: str | None
) -> None:
    from satmachineclient.telling.models import AlertOut

    began = datetime.now(timezone.utc)
    alert = AlertOut(id="a", kind="polls_failing", subject="", text=text, began_at=began)
    assert [each.code for each in alert.told] == codes
    assert alert.tab == tab
    assert " ".join(each.text for each in alert.told) == text.split(" http")[0]
