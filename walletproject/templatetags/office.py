"""What the back office's templates need beside Unfold's tags."""

from typing import Any

from django import template
from django.template.defaultfilters import capfirst
from django.urls import reverse

from walletproject.admin_site import GROUPS, PAGES

register = template.Library()
# The group and the title of each list in the sidebar, by its model.
LISTS = {
    model: (group, title) for group, entries in GROUPS.items() for title, _, model in entries if model not in PAGES
}


@register.filter
def as_in_the_sidebar(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A page's breadcrumbs, with the group and the list called as the sidebar calls them, and a row by its own name,
    with the last digits of ids in it.
    """
    from backoffice import cells

    office = reverse("admin:index")
    # Such as /admin/ledger/account/.
    model = str(parts[1]["link"]).removeprefix(office).strip("/").replace("/", ".") if len(parts) > 1 else ""
    if model not in LISTS:
        return [{**part, "title": capfirst(part["title"])} for part in parts]
    group, title = LISTS[model]
    rows = [{**part, "title": cells.abridged(str(part["title"]))} for part in parts[2:]]
    return [{"title": group, "link": office}, {**parts[1], "title": title}, *rows]
