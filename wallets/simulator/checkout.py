"""The page where somebody pays, or doesn't."""

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode, urlsplit, urlunsplit

from wallets.simulator.amounts import major
from wallets.simulator.deposits import Deposit, Deposits
from wallets.simulator.wire import Answer, Face, Request

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; background: #f4f5f7; color: #1c2330; display: grid; place-items: center;
  min-height: 100vh; margin: 0 }}
main {{ background: #fff; border-radius: 12px; padding: 2rem; width: min(22rem, 90vw); box-sizing: border-box;
  box-shadow: 0 2px 16px #0002 }}
h1 {{ font-size: 1rem; margin: 0; color: #5b6577 }}
p {{ margin: .25rem 0 1.5rem }}
.amount {{ font-size: 2rem; font-weight: 600; margin: 0 }}
form {{ display: flex; gap: .5rem }}
button {{ flex: 1; font: inherit; padding: .6rem; border: 0; border-radius: 8px; background: #1f7a4d; color: #fff }}
button.fail {{ background: #e6e8ec; color: #1c2330 }}
button:focus-visible {{ outline: 3px solid #7fb89b }}
</style>
</head>
<body><main>{content}</main></body>
</html>
"""
HTML = {"Content-Type": "text/html; charset=utf-8"}
NOT_FOUND = "There is no such checkout."


class Checkout:
    """GET shows the page; POST to pay or fail sends the payer back."""

    def __init__(self, deposits: Deposits, faces: Mapping[str, Face]) -> None:
        self._deposits, self._faces = deposits, faces

    def answer(self, request: Request) -> Answer:
        """`/{token}`, `/{token}/pay` and `/{token}/fail`."""
        _, token, *action = request.path.split("/")
        deposit = self._deposits.by_token(token)
        if deposit is None or action not in ([], ["pay"], ["fail"]):
            return _page(404, "Not found", f"<p>{NOT_FOUND}</p>")
        if request.method == "GET" and not action:
            return _page(200, "Checkout", _form(deposit) if deposit.state == "open" else _result(deposit))
        if request.method == "POST" and action:
            return self._back(self._deposits.pay(token) if action == ["pay"] else self._deposits.fail(token))
        return _page(405, "Not allowed", f"<p>{NOT_FOUND}</p>")

    def _back(self, deposit: Deposit) -> Answer:
        if not deposit.return_url.startswith(("http://", "https://")):
            return _page(200, "Checkout", _result(deposit))
        url = urlsplit(deposit.return_url)
        added = urlencode(self._faces[deposit.provider].return_query(deposit))
        location = urlunsplit(url._replace(query="&".join(part for part in (url.query, added) if part)))
        return Answer(303, b"", {**HTML, "Location": location})


def _form(deposit: Deposit) -> str:
    payer = f" · {escape(deposit.email)}" if deposit.email else ""
    return (
        f"<h1>{escape(deposit.provider.capitalize())} simulator</h1>"
        f'<p class="amount">{major(deposit.asked):,.2f} {escape(deposit.currency)}</p>'
        f"<p>{escape(deposit.reference)}{payer}</p>"
        f'<form method="post"><button formaction="/checkout/{deposit.token}/pay">Pay</button>'
        f'<button class="fail" formaction="/checkout/{deposit.token}/fail">Fail</button></form>'
    )


def _result(deposit: Deposit) -> str:
    word = "Paid" if deposit.state == "success" else "Not paid"
    return f'<h1>{escape(deposit.reference)}</h1><p class="amount">{word}</p>'


def _page(status: int, title: str, content: str) -> Answer:
    return Answer(status, PAGE.format(title=escape(title), content=content).encode(), HTML)
