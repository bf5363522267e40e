//! The append-only file of a Redis that was killed, and what a crash of its machine does to it.

use crate::{Redis, until};
use std::fs::File;
use std::path::PathBuf;

impl Redis {
    /// Cuts so many bytes off the end of the append-only file, after [`Redis::kill`]. Returns how many.
    pub fn tear(&self, bytes: u64) -> u64 {
        let file = File::options().write(true).open(self.append_only_file()).unwrap();
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(bytes)).unwrap();
        length.min(bytes)
    }

    /// Writes the append-only file anew, from the data in memory, and waits until that is done.
    pub async fn rewrite(&self) {
        self.command::<()>(["BGREWRITEAOF"]).await;
        until("the append-only file is rewritten", async || {
            let info = self.info("persistence").await;
            info.number("aof_rewrite_in_progress") + info.number("aof_rewrite_scheduled") == 0
        })
        .await;
        let status = self.info("persistence").await;
        assert_eq!(status.get("aof_last_bgrewrite_status"), Some("ok"));
    }

    /// The folder of the append-only file.
    pub fn append_only_folder(&self) -> PathBuf {
        self.server().folder().join("appendonlydir")
    }

    /// How many bytes the append-only file has from the last such word on, after [`Redis::kill`].
    pub fn since(&self, word: &str) -> u64 {
        let file = std::fs::read(self.append_only_file()).unwrap();
        let at = file.windows(word.len()).rposition(|bytes| bytes == word.as_bytes());
        (file.len() - at.unwrap()).try_into().unwrap()
    }

    /// The one that grew last.
    fn append_only_file(&self) -> PathBuf {
        let files = std::fs::read_dir(self.append_only_folder()).unwrap();
        let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        paths.retain(|path| path.to_string_lossy().ends_with(".incr.aof"));
        paths.into_iter().max().unwrap()
    }
}
