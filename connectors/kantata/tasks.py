"""Which task of ours a story is: its reference `<plan key>#<ref>`, looked up once, as it never changes."""

from collections.abc import Iterable, Mapping

from connectors.kantata.account import Account
from connectors.kantata.memory import Memory
from connectors.kantata.window import LARGEST_PAGE
from connectors.kantata.work_models import PlannedStory


class Tasks:
    """References of stories by id; a story we did not plan has the empty one."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._known = Memory(kept=100_000)

    async def refs(self, story_ids: Iterable[str], operation: str) -> Mapping[str, str]:
        """Story id -> our reference. A story the account does not show has none, and is asked for again."""
        wanted = list(dict.fromkeys(story_ids))
        unknown = [id for id in wanted if self._known[id] is None]
        for start in range(0, len(unknown), LARGEST_PAGE):
            await self._learn(unknown[start : start + LARGEST_PAGE], operation)
        return {id: self._known[id] or "" for id in wanted}

    async def _learn(self, ids: list[str], operation: str) -> None:
        params: dict[str, str | int] = {"only": ",".join(ids), "include": "external_references"}
        params |= {"limit": LARGEST_PAGE, "offset": 0}
        service = self._account.settings.service_name
        for row in await self._account.page("stories", params, operation=operation):
            story = self._account.read_row(PlannedStory, "stories", row, operation)
            held = self._account.reference(story, service, operation)
            self._known[story.id] = held.service_model_ref.partition("#")[2] if held else ""
