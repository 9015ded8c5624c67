"""Coupa's token: client credentials whose fresh token may be refused for some seconds.

Source: Coupa, OpenID Connect clients: wait about 5 s between issue and first use; renew every 20 h (a token
lives 24 h). Nothing here waits: a refusal in those seconds is told with the time that is left.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.http.auth import ClientCredentials, Clock, utc_now


class SettlingCredentials(ClientCredentials):
    """Keeps a refused token while it is new and has not worked yet: another one would be as new."""

    def __init__(
        self,
        *,
        token_url: str,
        client_id: str,
        client_secret: str,
        scope: str,
        settle: timedelta,
        clock: Clock = utc_now,
    ) -> None:
        super().__init__(
            token_url=token_url, client_id=client_id, client_secret=client_secret, scope=scope, clock=clock
        )
        self._settle = settle
        self._settled_at: datetime | None = None

    def refused(self, headers: Mapping[str, str]) -> bool:
        return False if self.settles_in() > 0 else super().refused(headers)

    def worked(self) -> None:
        """A call with the token was accepted: from now on a refusal means what it says."""
        self._settled_at = None

    def settles_in(self) -> int:
        """Seconds after which a token that has never worked can be expected to; 0 otherwise."""
        if self._settled_at is None:
            return 0
        left = (self._settled_at - self._clock()) / timedelta(seconds=1)
        return max(0, -int(-left // 1))

    def _keep(self, answer: Mapping[str, Any]) -> None:
        super()._keep(answer)
        self._settled_at = self._clock() + self._settle
