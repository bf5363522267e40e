//! The types of the inbox in `wit/messaging.wit` from and to those of `domain`.

use crate::domain::chat_settings::{self, Settings, SettingsFields, Side};
use crate::domain::entry_id::Epoch;
use crate::domain::inbox::{Entry, InboxPage};
use crate::domain::inbox_update::{Change, InboxUpdate};
use crate::domain::mark::{Mark, MarkFields};
use crate::wit::bindings::exports::confab::messaging::messenger as wit;

impl From<wit::MarkRequest> for MarkFields {
    fn from(request: wit::MarkRequest) -> Self {
        Self {
            name: Some(request.name),
            chat: Some(request.chat),
            position: request.position,
            index: request.index,
            epoch: request.epoch,
        }
    }
}

impl From<Mark> for wit::Mark {
    fn from(mark: Mark) -> Self {
        Self {
            epoch: mark.epoch.map_or(0, Epoch::get),
            read: mark.read.next_index(),
            read_position: mark.read.to_string(),
            unread: mark.unread,
        }
    }
}

impl From<wit::SettingsRequest> for SettingsFields {
    fn from(request: wit::SettingsRequest) -> Self {
        Self {
            name: request.name,
            chat: Some(request.chat),
            change: chat_settings::Change {
                blocked: request.blocked,
                muted: request.muted,
                open: request.open,
            },
        }
    }
}

impl From<Settings> for wit::Settings {
    fn from(set: Settings) -> Self {
        let Side { blocked, muted } = set.side.unwrap_or_default();
        Self {
            blocked,
            muted,
            open: set.open,
        }
    }
}

impl From<InboxPage> for wit::InboxPage {
    fn from(page: InboxPage) -> Self {
        Self {
            incomplete: !page.away.is_empty(),
            chats: page.chats.into_iter().map(Into::into).collect(),
            next: page.next.map(|next| next.to_string()),
        }
    }
}

impl From<Entry> for wit::InboxEntry {
    fn from(entry: Entry) -> Self {
        Self {
            chat: entry.chat.to_string(),
            with_name: entry.with.as_str().to_owned(),
            cut: entry.cut,
            data_cut: entry.data_cut,
            blocked: entry.side.blocked,
            muted: entry.side.muted,
            epoch: entry.extent.epoch.get(),
            unread: entry.unread(),
            read: entry.read.next_index(),
            read_position: entry.read.to_string(),
            read_by_other: entry.read_by_other.next_index(),
            read_by_other_position: entry.read_by_other.to_string(),
            last: entry.last.into(),
        }
    }
}

impl From<InboxUpdate> for wit::InboxUpdate {
    fn from(update: InboxUpdate) -> Self {
        Self {
            position: update.id.to_string(),
            change: match update.change {
                Change::All(page) => wit::InboxChange::All(page.into()),
                Change::Chat(entry) => wit::InboxChange::Chat((*entry).into()),
                Change::Gone(chat) => wit::InboxChange::Gone(chat.to_string()),
            },
        }
    }
}
