// Sends, pulls and reads an inbox by the client that openapi-generator makes. The arguments are a confab's address and two names.

import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.ChatApi;
import org.openapitools.client.api.InboxApi;
import org.openapitools.client.model.Draft;

public class Use {
    public static void main(String[] arguments) throws ApiException {
        var client = new ApiClient();
        client.updateBaseUri(arguments[0]);
        var chats = new ChatApi(client);
        var inboxes = new InboxApi(client);
        var alice = arguments[1];
        var bob = arguments[2];
        var chat = alice + ":" + bob;

        var first = chats.send(new Draft().chat(chat).text("Hi Bob").sender(alice), "1");
        var second = chats.send(new Draft().chat(chat).text("Lunch?").sender(alice), "2");
        // More than an int holds.
        expect(second.getSendTime() > first.getSendTime() && first.getSendTime() > Integer.MAX_VALUE, second);

        var page = chats.pull(chat, null, 1L, null, null, null, null, null);
        expect(page.getMessages().size() == 1 && page.getHasMore() && page.getNextCursor() == 1, page);
        expect(page.getMessages().get(0).getSendTime().equals(first.getSendTime()), page);
        var rest = chats.pull(chat, page.getNextCursor(), null, null, null, page.getEpoch(), null, null);
        expect(rest.getMessages().get(0).getText().equals("Lunch?") && rest.getHasMore() == null, rest);

        var inbox = inboxes.inbox(bob, null, null);
        var entry = inbox.getChats().get(0);
        expect(entry.getWith().equals(alice) && entry.getUnread() == 2 && entry.getEpoch().equals(page.getEpoch()), inbox);
        expect(entry.getLast().getSendTime().equals(second.getSendTime()), inbox);

        try {
            chats.send(new Draft().chat(chat).text("").sender(alice), null);
            throw new AssertionError("an empty text was sent");
        } catch (ApiException refused) {
            expect(refused.getCode() == 400 && refused.getResponseBody().contains("/problems/invalid"), refused);
        }
    }

    private static void expect(boolean holds, Object answer) {
        if (!holds) throw new AssertionError(answer);
    }
}
