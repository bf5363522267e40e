"""Sends, pulls and reads an inbox by the client that openapi-python-client makes. The arguments are a confab's address and two names."""

import sys

from confab_client import Client
from confab_client.api.chat import pull, send
from confab_client.api.inbox import inbox
from confab_client.models import Draft, Problem
from confab_client.types import UNSET

url, alice, bob = sys.argv[1:]
client = Client(base_url=url, raise_on_unexpected_status=True)
chat = f"{alice}:{bob}"

first = send.sync(client=client, body=Draft(chat=chat, text="Hi Bob", sender=alice), idempotency_key="1")
second = send.sync(client=client, body=Draft(chat=chat, text="Lunch?", sender=alice), idempotency_key="2")
assert second.send_time > first.send_time, second

page = pull.sync(client=client, chat=chat, limit=1)
assert len(page.messages) == 1 and page.has_more is True and page.next_cursor == 1, page
assert page.messages[0].send_time == first.send_time, page
rest = pull.sync(client=client, chat=chat, cursor=page.next_cursor, epoch=page.epoch)
assert rest.messages[0].text == "Lunch?" and rest.has_more is UNSET, rest

chats = inbox.sync(client=client, name=bob)
entry = chats.chats[0]
assert (entry.with_, entry.unread, entry.epoch) == (alice, 2, page.epoch), chats
assert entry.last.send_time == second.send_time, chats

refused = send.sync(client=client, body=Draft(chat=chat, text="", sender=alice))
assert isinstance(refused, Problem) and refused.status == 400, refused
