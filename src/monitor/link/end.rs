//! How a try to reach a host ended: from what its program said and how it went, to what that means.

use std::process::ExitStatus;

use crate::monitor::clients::admit::words;

/// How a try ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It was not reached, or the connection is gone.
    Lost(String),
    /// It said no hello in time: what is under it may hang.
    NoHello(String),
    /// Only a person can go on.
    NeedsLogin(String),
    /// tmux-orc is not there.
    NotInstalled(String),
    /// The two versions do not understand each other.
    Incompatible(String),
}

/// What ssh says when it wants a person.
const ASKS: [&str; 6] = [
    "permission denied",
    "host key verification failed",
    "keyboard-interactive",
    "too many authentication failures",
    "no more authentication methods",
    "remote host identification has changed",
];

/// What the end of the program means: its last words on standard error, its exit code, and what it printed instead of a
/// hello.
pub(crate) fn ended(stderr: &[u8], status: Option<ExitStatus>, noise: Option<&str>) -> Trouble {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<String> = text.lines().map(tidy).filter(|line| !line.is_empty()).collect();
    let last = lines.last().cloned();
    let code = status.and_then(|status| status.code());
    if code == Some(127) {
        return Trouble::NotInstalled(last.unwrap_or_else(|| "no tmux-orc in the usual places".to_owned()));
    }
    let asks = |line: &&String| {
        let line = line.to_lowercase();
        ASKS.iter().any(|phrase| line.contains(phrase))
    };
    if code == Some(255)
        && let Some(line) = lines.iter().rev().find(asks)
    {
        return Trouble::NeedsLogin(line.clone());
    }
    if let Some(last) = last {
        return Trouble::Lost(last);
    }
    if let Some(noise) = noise {
        return Trouble::Lost(prints(noise));
    }
    Trouble::Lost(match status {
        Some(status) if !status.success() => format!("the connection ended ({status})"),
        _ => "the connection ended".to_owned(),
    })
}

/// Something else speaks where a bridge should.
pub(crate) fn prints(noise: &str) -> String {
    tidy(&format!("its shell prints instead of us: {noise}"))
}

/// A line of others as it may be shown, through the one door.
pub(crate) fn tidy(line: &str) -> String {
    words(line.trim()).into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    fn code(code: i32) -> Option<ExitStatus> {
        Some(ExitStatus::from_raw(code << 8))
    }

    #[test]
    fn each_end_means_what_it_says() {
        let said = |stderr: &str, status, noise| ended(stderr.as_bytes(), status, noise);
        let lost = |why: &str| Trouble::Lost(why.to_owned());
        let timed_out = "ssh: connect to host box port 22: Connection timed out";
        assert_eq!(said(&format!("Warning: x\r\n{timed_out}\r\n\n"), code(255), None), lost(timed_out));
        for line in [
            "me@box: Permission denied (publickey,password).",
            "Host key verification failed.",
            "Received disconnect from box: 2: Too many authentication failures",
        ] {
            let more = format!("{line}\nConnection closed.\n");
            assert_eq!(said(&more, code(255), None), Trouble::NeedsLogin(line.to_owned()));
            assert!(matches!(said(&more, code(1), None), Trouble::Lost(_)), "the program's own words are not ssh's");
        }
        let missing = Trouble::NotInstalled("no tmux-orc in the usual places".to_owned());
        assert_eq!(said("", code(127), None), missing);
        assert!(matches!(said("sh: x: not found", code(127), Some("hi")), Trouble::NotInstalled(_)));
        assert_eq!(said("", code(0), None), lost("the connection ended"));
        assert_eq!(said("", code(3), None), lost("the connection ended (exit status: 3)"));
        assert_eq!(said("", None, Some("Welcome!")), lost("its shell prints instead of us: Welcome!"));
    }

    #[test]
    fn no_reason_reaches_a_terminal_as_it_came() {
        let Trouble::Lost(why) = ended(b"\x1b]0;x\x07\x1b[2Jbad \xe2\x80\xae\xff\n", code(255), None) else { panic!() };
        assert!(why.contains("bad") && !why.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{why:?}");
        assert_eq!(ended("x".repeat(4096).as_bytes(), None, None), Trouble::Lost("x".repeat(500)));
    }
}
