//! Plain types: what raw values become at the edge. No Spin, no serde types, no transport, no Redis.

pub mod caller;
pub mod cause;
pub mod chat;
pub mod chat_settings;
pub mod data;
pub mod deletion;
pub mod entry_id;
pub mod error;
pub mod export;
pub mod idempotency_key;
pub mod inbox;
pub mod inbox_update;
pub mod mark;
pub mod member;
pub mod message;
pub mod notice;
pub mod page;
pub mod position;
pub mod quota;
pub mod refusal;
pub mod slice;
pub mod update;
