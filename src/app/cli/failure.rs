//! How a verb ends when it does not end well: a message and an exit code.

use std::{fmt, io};

use crate::app::settings::{NoHome, SettingsError};

/// A verb failed: what to print on standard error, and the exit code.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// It failed (exit code 1).
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// It was asked wrongly, or the settings are wrong (exit code 2).
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    /// There is no engine or no tmux server to talk to (exit code 3).
    #[must_use]
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 3 }
    }

    /// A check failed and the report said so: nothing more to print (exit code 1).
    #[must_use]
    pub fn check() -> Self {
        Self { message: String::new(), code: 1 }
    }

    /// Nothing more to print, with this exit code.
    #[must_use]
    pub fn silent(code: u8) -> Self {
        Self { message: String::new(), code }
    }

    /// The reader of our output went away (no failure of ours), or the output cannot be written.
    #[must_use]
    pub fn from_output(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(0);
        }
        Self::failed(format!("cannot write the output: {error}"))
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<NoHome> for Failure {
    fn from(error: NoHome) -> Self {
        Self::usage(error.to_string())
    }
}
