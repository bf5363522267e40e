//! The whole of confab, from outside: the real component on a real redis-server, over HTTP and over its WIT interface.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails by a panic"
)]

mod all_or_nothing;
mod blocks;
mod blocks_cluster;
mod bodies;
mod budget;
mod cap;
mod chats_of;
mod clock;
mod cluster;
mod cluster_begun_anew;
mod cluster_changes;
mod cluster_entry;
mod cluster_failures;
mod cluster_inbox;
mod cluster_incomplete;
mod cluster_load;
mod cluster_replicas;
mod contract;
mod cost;
mod crash;
mod cursors;
mod data;
mod delete;
mod delete_chat;
mod delete_pages;
mod delete_refused;
mod delete_seam;
mod exactly_once;
mod export;
mod export_changes;
mod export_limits;
mod export_million;
mod export_rights;
mod faulty_connection;
mod fill_inboxes;
mod first_message;
mod foreign_pages;
mod foreign_reads;
mod holes;
mod hostile;
mod hosts;
mod identity;
mod identity_settings;
mod inbox;
mod inbox_crash;
mod inbox_logs;
mod inbox_model;
mod inbox_removed;
mod inbox_seam;
mod inbox_stream;
mod limits;
mod limits_answers;
mod limits_cluster;
mod limits_streams;
mod load;
mod loads;
mod long_poll;
mod me;
mod model;
mod names;
mod original_faults;
mod outage;
mod page;
mod paging;
mod pool;
mod positions;
mod read_marks;
mod ready;
mod receipts;
mod redis_refuses;
mod redis_settings;
mod refusals;
mod refused_append;
mod replicas;
mod retain;
mod retain_meanwhile;
mod retain_refusals;
mod rewrite;
mod rewrite_refusals;
mod rights;
mod rights_of_routes;
mod routes;
mod server_log;
mod service_sends;
mod settings_refused;
mod storage;
mod stored_data;
mod stream;
mod stream_clients;
mod stream_faults;
mod stream_outage;
mod stream_resets;
mod token_script;
mod torn_file;
mod unread;
mod waiting;
mod wit;
mod wit_delete;
mod wit_follow;
mod wit_inbox;
mod wit_settings;
