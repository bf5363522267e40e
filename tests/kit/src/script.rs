//! The operator's scripts, run as an operator runs them.

use crate::component;
use std::process::Command;

/// How a run of a script ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit status.
    pub code: i32,
    /// What it printed, on both outputs.
    pub said: String,
}

impl Ran {
    /// What it printed. It must have succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}", self.said);
        self.said
    }

    /// Checks that it failed, and printed all of these texts.
    #[track_caller]
    pub fn fails(&self, texts: &[&str]) {
        assert_ne!(self.code, 0, "{}", self.said);
        assert!(!self.said.contains("Traceback"), "{}", self.said);
        for text in texts {
            assert!(self.said.contains(text), "{text:?} is not in: {}", self.said);
        }
    }
}

/// Runs a script of the folder `scripts` with these words, and with these variables, to its end.
pub async fn script(name: &str, words: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = Command::new(component::project().join("scripts").join(name));
    command.args(words).envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        said: String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
    }
}
