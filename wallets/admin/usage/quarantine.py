"""Events that weren't taken and may yet be: why, and the buttons that let them in or discard them."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from backoffice import cells
from backoffice.pages import ReadOnlyAdmin
from backoffice.periods import PeriodFilter
from wallets.admin import words
from wallets.admin.deeds import ReasonForm, act, button, permission, show, tell
from wallets.admin.usage import shown
from wallets.models import QuarantinedEvent, Wallet
from wallets.usage import admitting, unreadable
from wallets.usage.events import CONFLICT, Outcome
from wallets.usage.judging import REFUSALS

PAGE = "wallets_quarantinedevent"
# Another one is reported in its place.
NEVER_LET_IN = (CONFLICT.code, *unreadable.CODES)
WHY = {**REFUSALS, CONFLICT.code: CONFLICT.detail}


@admin.register(QuarantinedEvent)
class QuarantinedEventAdmin(ReadOnlyAdmin):
    actions_detail = ("let_in", "discard")
    list_display = (
        "received_at", "short_id", "code_shown", "meter", "quantity_shown", "source", "event_id", "occurred_at",
        "state_shown",
    )  # fmt: skip
    list_filter: ClassVar[Sequence[Any]] = (("state", ChoicesDropdownFilter), ("received_at", PeriodFilter))
    ordering = ("-id",)
    search_ids = ("id", "wallet")
    search_texts = ("event_id",)
    search_help_text = "ID of event or wallet, or the event’s own id"
    fieldsets = (
        (None, {"fields": (
            ("code_shown", "state_shown"), "why", ("source", "event_id"), ("meter", "quantity_shown"), "wallet_shown",
            ("occurred_at", "received_at"), "properties", "sent_by_shown",
            ("decided_by_shown", "decided_at"), "decided_because", ("whole_id", "audit"),
        )}),
    )  # fmt: skip

    # Of a message that is no event, which has no wallet, meter or quantity.
    message_fieldsets = (
        (None, {"fields": (
            ("code_shown", "state_shown"), "why", ("source", "event_id"), "message", ("occurred_at", "received_at"),
            "sent_by_shown", ("decided_by_shown", "decided_at"), "decided_because", ("whole_id", "audit"),
        )}),
    )  # fmt: skip

    has_decide_permission = permission("wallets.decide_quarantined")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A message as it came, or the event that was read."""
        return self.message_fieldsets if obj and obj.code in unreadable.CODES else super().get_fieldsets(request, obj)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The buttons of one that nobody has decided about."""
        found = QuarantinedEvent.objects.filter(pk=object_id, state=QuarantinedEvent.State.OPEN).first()
        hidden = {f"{PAGE}_let_in"} if found and found.code in NEVER_LET_IN else set()
        names = super().get_actions_detail(request, object_id) if found else []
        return [each for each in names if each.action_name not in hidden]

    @button(
        "Let in", "It is rated and counts, however old it is. What keeps it out otherwise must have been mended.",
        needs="decide", icon="check", variant=ActionVariant.SUCCESS,
    )  # fmt: skip
    def let_in(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        outcomes: list[Outcome] = []
        reason = form.cleaned_data["reason"]
        told = tell(
            lambda actor, now: outcomes.append(admitting.admit(UUID(object_id), by=actor, reason=reason, now=now)),
            request,
        )  # fmt: skip
        refused = told or next((outcome.detail for outcome in outcomes if outcome.code), "")
        messages.error(request, refused) if refused else messages.success(request, "It counts now.")
        return show(PAGE, object_id)

    @button("Discard", "It will not count.", needs="decide", icon="close", variant=ActionVariant.DANGER)
    def discard(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        reason, id = form.cleaned_data["reason"], UUID(object_id)
        return act(
            lambda actor, now: admitting.discard(id, by=actor, reason=reason, now=now), request, PAGE, object_id,
            done="Discarded.",
        )  # fmt: skip

    @display(description="why")
    def code_shown(self, event: QuarantinedEvent) -> str:
        return cells.label(event.code.replace("_", " "), "warning")

    @display(description="that is")
    def why(self, event: QuarantinedEvent) -> str:
        if event.code in unreadable.CODES:
            return str(event.properties["detail"])
        return WHY.get(event.code, cells.NOTHING)

    @display(description="state")
    def state_shown(self, event: QuarantinedEvent) -> str:
        return words.state(event.state)

    @display(description="quantity")
    def quantity_shown(self, event: QuarantinedEvent) -> str:
        return cells.NOTHING if event.code in unreadable.CODES else shown.quantity(event.quantity)

    @display(description="message")
    def message(self, event: QuarantinedEvent) -> SafeString | str:
        """The beginning of what it says; bytes that are no text are written as such."""
        if not (text := event.properties["payload"]):
            return cells.NOTHING
        size = event.properties.get("bytes", 0)
        cut = f"The first {unreadable.SHOWN:,} of {size:,} bytes." if size > unreadable.SHOWN else ""
        return cells.lines(cells.verbatim(text), cells.small(cut)) if cut else cells.verbatim(text)

    @display(description="wallet")
    def wallet_shown(self, event: QuarantinedEvent) -> str:
        found = Wallet.objects.select_related("owner").filter(pk=event.wallet).first()
        return words.wallet_link(found.pk, words.wallet_name(found)) if found else f"{event.wallet}, which there isn’t"

    @display(description="sent by")
    def sent_by_shown(self, event: QuarantinedEvent) -> str:
        return words.caller_link(event.sent_by)

    @display(description="decided by")
    def decided_by_shown(self, event: QuarantinedEvent) -> str:
        return words.caller_link(event.decided_by) if event.decided_by else cells.NOTHING

    @display(description="audit")
    def audit(self, event: QuarantinedEvent) -> str:
        return words.audit_link("event", event.pk)
