"""What the back office's templates need beside Unfold's tags."""

from typing import Any

from django import template
from django.template.defaultfilters import capfirst
from django.urls import reverse

from walletproject.admin_site import GROUPS, PAGES

register = template.Library()


@register.filter
def as_in_the_sidebar(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A page's breadcrumbs, with the group and the list called as the sidebar calls them, and a row by its own name,
    with the last digits of ids in it.
    """
    from backoffice import cells

    names = {
        reverse(f"admin:{model.replace('.', '_')}_changelist"): (group, title)
        for group, entries in GROUPS.items()
        for title, _, model in entries
        if model not in PAGES
    }
    found = names.get(str(parts[1]["link"])) if len(parts) > 1 else None
    if found is None:
        return [{**part, "title": capfirst(part["title"])} for part in parts]
    group, title = found
    rows = [{**part, "title": cells.abridged(str(part["title"]))} for part in parts[2:]]
    return [{"title": group, "link": reverse("admin:index")}, {**parts[1], "title": title}, *rows]
