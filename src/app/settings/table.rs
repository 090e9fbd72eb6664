//! Every setting that there is: one row each, from which files are checked, defaults taken and `config show` made.
//!
//! Long because it is one table: a row for each setting.

use strum::VariantNames;

use crate::{
    app::core::{column, grouping::Grouping},
    monitor::{CachePolicy, MAX_INTERVAL, MAX_POOL, MIN_INTERVAL},
    tmux::TransportChoice,
};

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its name with those of its sections, `monitoring.async.pool.min_size`.
    pub path: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// The default, as JSON.
    pub default: &'static str,
    /// Environment variable that sets it, if one does.
    pub env: Option<&'static str>,
    /// What it does, in a few words with the unit.
    pub help: &'static str,
}

/// What a setting may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number, both ends included.
    Count(u64, u64),
    /// Seconds, fractions allowed, both ends included.
    Seconds(f64, f64),
    /// Percent of one core, fractions allowed, both ends included.
    Percent(f64, f64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A word of letters, digits, `-`, `_` and `.`; the value is checked against what there is later.
    Name,
    /// Any text on one line.
    Text,
    /// A list of texts.
    Texts,
    /// Names, each with a program and its arguments.
    Commands,
    /// A list of seconds, fractions allowed, each within these ends.
    Steps(f64, f64),
    /// A list of words, each one of these.
    Choices(&'static [&'static str]),
    /// A span of the day such as `22:00-07:00`, or nothing.
    Hours,
    /// Action names, each with a key or a list of keys.
    Keys,
    /// Prices of tokens, by model.
    Prices,
    /// A list of named agents: `target`, and `agent` or `name` or both.
    Agents,
    /// A list of tmux servers: names, paths, or `all`.
    Servers,
    /// A list of hosts, each with its name and how it is reached.
    Hosts,
    /// The path of a file that is written, or nothing.
    File,
    /// An address of this machine alone to listen at, or nothing.
    Listen,
    /// Where a collector on this machine is, or nothing.
    Collector,
}

impl Kind {
    /// What is expected, in words for an error.
    #[must_use]
    pub fn expected(self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Count(min, max) => format!("a whole number from {min} to {max}"),
            Self::Seconds(min, max) => format!("seconds from {min} to {max}"),
            Self::Percent(min, max) => format!("a percentage from {min} to {max}"),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Name => "a name of letters, digits, '-', '_' and '.'".to_owned(),
            Self::Text => "text on one line".to_owned(),
            Self::Texts => "a list of texts such as [a, b]".to_owned(),
            Self::Commands => "names, each with a list of a program and its arguments such as [logger, -t, tmux-orc]".to_owned(),
            Self::Steps(min, max) => format!("a list of seconds from {min} to {max} such as [600, 3600], or [] for none"),
            Self::Choices(words) => format!("a list made of {}", words.join(", ")),
            Self::Hours => "a span such as 22:00-07:00, or \"\" for none".to_owned(),
            Self::Keys => "action names, each with a key or a list of keys".to_owned(),
            Self::Prices => "models, each with its prices for a million tokens".to_owned(),
            Self::Agents => "a list of agents, each with target and agent or name".to_owned(),
            Self::Servers => "a list of tmux servers such as [work, /tmp/other.sock], or [all]".to_owned(),
            Self::Hosts => "a list of hosts, each with name and ssh or connect".to_owned(),
            Self::File => "a whole path such as /var/lib/node_exporter/tmux-orc.prom, or \"\" for none".to_owned(),
            Self::Listen => {
                "an address that this machine alone reaches such as 127.0.0.1:9788, or \"\" for none".to_owned()
            }
            Self::Collector => {
                "http:// and an address of this machine such as http://127.0.0.1:4318 (a collector there goes on from it, \
                 with TLS), env, or \"\" for none"
                    .to_owned()
            }
        }
    }
}

/// What the engine takes is said once, there.
const POOL: Kind = Kind::Count(1, MAX_POOL as u64);
/// Signs of the dashboard.
pub const GLYPHS: &[&str] = &["auto", "unicode", "ascii"];
/// How a jump to another host opens.
pub const JUMPS: &[&str] = &["window", "here"];
/// How much the measures tell.
pub const METRICS_DETAIL: &[&str] = &["totals", "agents"];
/// What can be notified of.
pub const NOTICES: &[&str] = &["waiting", "exited", "limited", "error", "done", "limit"];

const fn row(
    path: &'static str,
    kind: Kind,
    default: &'static str,
    env: Option<&'static str>,
    help: &'static str,
) -> Row {
    Row { path, kind, default, env, help }
}

/// All settings, in the order in which they are shown.
pub const ROWS: &[Row] = &[
    row(
        "monitoring.check_interval",
        Kind::Seconds(MIN_INTERVAL.as_secs_f64(), MAX_INTERVAL.as_secs_f64()),
        "1",
        Some("TMUX_ORC_INTERVAL"),
        "seconds between cycles; under adaptive the most that a quiet agent goes unread",
    ),
    row(
        "monitoring.max_failures",
        Kind::Count(1, 1000),
        "3",
        None,
        "failed checks in a row that make an agent critical",
    ),
    row(
        "monitoring.max_server_percent",
        Kind::Percent(0.1, 100.0),
        "5",
        None,
        "most of the tmux server's time that watching takes, percent of one core; 100: no ceiling",
    ),
    row("monitoring.async.enabled", Kind::Flag, "true", None, "the async engine; false gives the sync one"),
    row("monitoring.async.strategy", Kind::Name, "\"adaptive\"", Some("TMUX_ORC_STRATEGY"), "how cycles are planned"),
    row(
        "monitoring.async.transport",
        Kind::Choice(TransportChoice::VARIANTS),
        "\"auto\"",
        Some("TMUX_ORC_TRANSPORT"),
        "how tmux is reached",
    ),
    row("monitoring.async.pool.min_size", POOL, "5", None, "connections made ready at the start"),
    row("monitoring.async.pool.max_size", POOL, "20", Some("TMUX_ORC_POOL_SIZE"), "most connections at once"),
    row(
        "monitoring.async.pool.connection_timeout",
        Kind::Seconds(0.01, 3600.0),
        "30",
        None,
        "seconds to wait for a free connection",
    ),
    row(
        "monitoring.async.pool.max_age",
        Kind::Seconds(1.0, 86400.0),
        "300",
        None,
        "seconds after which a connection is replaced",
    ),
    row("monitoring.async.cache.enabled", Kind::Flag, "true", Some("TMUX_ORC_CACHE"), "the cache is used"),
    row(
        "monitoring.async.cache.default_ttl",
        Kind::Seconds(0.01, 86400.0),
        "30",
        None,
        "seconds that an entry is good for at most",
    ),
    row("monitoring.async.cache.max_size", Kind::Count(1, 1_000_000), "1000", None, "most entries of a layer"),
    row(
        "monitoring.async.cache.strategy",
        Kind::Choice(CachePolicy::VARIANTS),
        "\"ttl\"",
        None,
        "what goes first when room is short",
    ),
    row(
        "dashboard.theme",
        Kind::Name,
        "\"auto\"",
        Some("TMUX_ORC_THEME"),
        "name of a theme; auto looks at the terminal",
    ),
    row(
        "dashboard.glyphs",
        Kind::Choice(GLYPHS),
        "\"auto\"",
        Some("TMUX_ORC_GLYPHS"),
        "signs of the dashboard; auto: ascii where the tmux client or the locale is not UTF-8",
    ),
    row("dashboard.mouse", Kind::Flag, "true", None, "the mouse works in the dashboard"),
    row(
        "dashboard.limit_threshold",
        Kind::Count(1, 100),
        "80",
        None,
        "percent of an account's limit from which on the header shows it",
    ),
    row(
        "dashboard.reduced_motion",
        Kind::Flag,
        "false",
        None,
        "nothing blinks, and the panes' screens change every five seconds, or when an agent's state does",
    ),
    row("dashboard.read_only", Kind::Flag, "false", None, "nothing is ever typed into a pane"),
    row(
        "dashboard.columns",
        Kind::Choices(column::NAMES),
        r#"["for", "agent", "branch", "diff", "activity", "ctx", "tokens", "cost", "cpu", "mem", "model", "folder"]"#,
        None,
        "columns of the list; state, target and doing are always there",
    ),
    row(
        "dashboard.group",
        Kind::Choice(Grouping::VARIANTS),
        "\"none\"",
        None,
        "what the agents are grouped by at first",
    ),
    row(
        "dashboard.jump",
        Kind::Choice(JUMPS),
        "\"window\"",
        None,
        "how a jump to another host opens: window, one of your tmux; here, the terminal that it is asked in",
    ),
    row("dashboard.keys", Kind::Keys, "{}", None, "other keys for actions"),
    row("notifications.enabled", Kind::Flag, "false", None, "tell of changes when nobody looks"),
    row("notifications.on", Kind::Choices(NOTICES), r#"["waiting", "error"]"#, None, "which changes"),
    row("notifications.agents", Kind::Texts, "[]", None, "only these programs; none named: all"),
    row("notifications.sessions", Kind::Texts, "[]", None, "only these sessions; none named: all"),
    row("notifications.bell", Kind::Flag, "true", None, "ring the terminal's bell"),
    row("notifications.terminal", Kind::Flag, "false", None, "the terminal's own notice (OSC 9 and 777)"),
    row("notifications.tmux", Kind::Flag, "true", None, "a message in tmux's status line"),
    row("notifications.desktop", Kind::Flag, "false", None, "notify-send or osascript, where there is one"),
    row(
        "notifications.command",
        Kind::Texts,
        "[]",
        None,
        "a program and its arguments; the event is its input, as JSON",
    ),
    row(
        "notifications.commands",
        Kind::Commands,
        "{}",
        None,
        "more of them, each with a name; `tmux-orc notify recipes` prints some",
    ),
    row(
        "notifications.remind_after",
        Kind::Steps(1.0, 86_400.0),
        "[600]",
        None,
        "seconds of one wait after which its notice is given again, once each",
    ),
    row(
        "notifications.quiet_hours",
        Kind::Hours,
        "\"\"",
        None,
        "local time without notices; what still waits when it ends is told then",
    ),
    row(
        "tmux.badges",
        Kind::Flag,
        "false",
        None,
        "a sign for each window and pane, in options of your tmux server; `tmux-orc tmux bindings` prints what shows them",
    ),
    row(
        "usage.enabled",
        Kind::Flag,
        "true",
        None,
        "read the transcripts that agent programs write, for what they spend",
    ),
    row("usage.programs", Kind::Texts, "[]", None, "only those of these programs; none named: all"),
    row(
        "repositories.enabled",
        Kind::Flag,
        "true",
        None,
        "read the names and branches of the repositories agents work in",
    ),
    row(
        "repositories.diff",
        Kind::Flag,
        "true",
        None,
        "count lines added and removed in them, by a git process at most every 30 s",
    ),
    row(
        "servers",
        Kind::Servers,
        "[]",
        None,
        "tmux servers of this machine besides the usual one: names or paths; all: every one that there is",
    ),
    row("hosts", Kind::Hosts, "[]", None, "hosts whose agents are shown too, by ssh or another program: docs/hosts.md"),
    row(
        "metrics.textfile",
        Kind::File,
        "\"\"",
        None,
        "a file for node_exporter's textfile collector, written every 15 s; of a server that is not called default its name \
         goes before the ending",
    ),
    row("metrics.listen", Kind::Listen, "\"\"", None, "answers Prometheus at this address, to this machine alone"),
    row(
        "metrics.otlp",
        Kind::Collector,
        "\"\"",
        None,
        "an OpenTelemetry collector on this machine; env: what the OTEL_* variables say",
    ),
    row(
        "metrics.detail",
        Kind::Choice(METRICS_DETAIL),
        "\"totals\"",
        None,
        "agents: also each pane with its session's name, all labels, and to a collector a span for each turn and wait",
    ),
    row("prices", Kind::Prices, "{}", None, "US dollars for a million tokens, by model"),
    row("agents", Kind::Agents, "[]", None, "panes that hold an agent though nothing else tells so, or their names"),
];

/// The row of this path.
#[must_use]
pub fn find(path: &str) -> Option<&'static Row> {
    ROWS.iter().find(|row| row.path == path)
}

/// Whether this path is a section, that is, has settings inside it.
#[must_use]
pub fn is_section(path: &str) -> bool {
    ROWS.iter().any(|row| row.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// Names that may stand in a section (`""` is the whole file), in order.
#[must_use]
pub fn names_in(section: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    for row in ROWS {
        let rest = if section.is_empty() {
            Some(row.path)
        } else {
            row.path.strip_prefix(section).and_then(|r| r.strip_prefix('.'))
        };
        if let Some(name) = rest.and_then(|rest| rest.split('.').next())
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_json_and_every_path_stands_once() {
        for (index, row) in ROWS.iter().enumerate() {
            serde_json::from_str::<serde_json::Value>(row.default).expect(row.path);
            assert!(ROWS[..index].iter().all(|other| other.path != row.path), "{} stands twice", row.path);
        }
    }

    #[test]
    fn sections_know_their_names() {
        assert_eq!(
            names_in(""),
            [
                "monitoring",
                "dashboard",
                "notifications",
                "tmux",
                "usage",
                "repositories",
                "servers",
                "hosts",
                "metrics",
                "prices",
                "agents"
            ]
        );
        assert_eq!(names_in("monitoring"), ["check_interval", "max_failures", "max_server_percent", "async"]);
        assert!(is_section("monitoring.async") && !is_section("monitoring.async.strategy") && !is_section("agents"));
    }
}
