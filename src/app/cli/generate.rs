//! `completions` and `man`: made from the definition of the command line, so they cannot be behind it.

use clap::CommandFactory;

use crate::app::cli::{Cli, Context, Failure};

/// Prints completions.
pub fn completions(shell: clap_complete::Shell, context: &mut Context) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tmux-orc", &mut script);
    context.out.raw(&script)
}

/// Prints the manual page: the program, then every verb with its options.
pub fn man(context: &mut Context) -> Result<(), Failure> {
    let mut page = Vec::new();
    write_man(&mut page).map_err(|error| Failure::failed(format!("cannot make the manual page: {error}")))?;
    context.out.raw(&page)
}

fn write_man(page: &mut Vec<u8>) -> std::io::Result<()> {
    // A page is that of a version, not of a commit.
    let mut command = Cli::command().version(env!("CARGO_PKG_VERSION")).disable_help_subcommand(true);
    command.build();
    let man = clap_mangen::Man::new(command.clone());
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    page.extend_from_slice(b".SH VERBS\n");
    for verb in command.get_subcommands().filter(|verb| !verb.is_hide_set()) {
        write_verb(page, verb, "")?;
    }
    write_environment(page)?;
    page.extend_from_slice(FILES.as_bytes());
    man.render_extra_section(page)?;
    man.render_version_section(page)
}

const FILES: &str = "\
.SH FILES
.TP
\\fI~/.tmux_orchestrator/config.yaml\\fR
The settings; `tmux\\-orc config init` writes them with comments.
.TP
\\fI~/.tmux_orchestrator/{agents,strategies,themes}/\\fR
Your own agent profiles, strategies and themes.
.TP
\\fI~/.tmux_orchestrator/{logs,events,run}/\\fR
Logs, the journal, and the locks and sockets of running engines.
";

/// Variables that are no setting of the table.
const VARIABLES: [(&str, &str); 5] = [
    ("TMUX_ORC_HOME", "The base directory instead of ~/.tmux_orchestrator."),
    ("TMUX_ORC_TMUX", "The tmux program instead of the one in PATH."),
    ("TMUX_ORC_LOG", "What is logged, such as debug or tmux_orc::tmux=trace."),
    ("TMUX_ORC_ASYNC_DISABLED", "1: the sync engine, whatever the settings say."),
    ("NO_COLOR", "Set: no colour, unless --color asks for it."),
];

fn write_environment(page: &mut Vec<u8>) -> std::io::Result<()> {
    use std::io::Write;
    writeln!(page, ".SH ENVIRONMENT")?;
    for (name, text) in VARIABLES {
        writeln!(page, ".TP\n\\fB{name}\\fR\n{}", roff(text))?;
    }
    for row in crate::app::settings::ROWS {
        if let Some(name) = row.env {
            writeln!(page, ".TP\n\\fB{name}\\fR\n{}: {}.", roff(row.path), roff(row.help))?;
        }
    }
    Ok(())
}

fn write_verb(page: &mut Vec<u8>, verb: &clap::Command, before: &str) -> std::io::Result<()> {
    use std::io::Write;
    let name = if before.is_empty() { verb.get_name().to_owned() } else { format!("{before} {}", verb.get_name()) };
    let text = |styled: &clap::builder::StyledStr| roff(&styled.to_string());
    writeln!(page, ".SS \"{name}\"")?;
    if let Some(about) = verb.get_about() {
        writeln!(page, "{}", text(about))?;
    }
    for arg in verb.get_arguments().filter(|arg| !arg.is_hide_set() && !arg.is_global_set()) {
        if ["help", "version"].contains(&arg.get_id().as_str()) {
            continue;
        }
        let values = arg.get_value_names().unwrap_or_default().join(" ");
        let label = match (arg.get_short(), arg.get_long()) {
            (Some(short), Some(long)) => format!("-{short}, --{long}"),
            (Some(short), None) => format!("-{short}"),
            (None, Some(long)) => format!("--{long}"),
            (None, None) => String::new(),
        };
        let takes_value = arg.get_action().takes_values();
        let label = if takes_value { format!("{label} {values}") } else { label };
        writeln!(page, ".TP\n\\fB{}\\fR", roff(label.trim()))?;
        writeln!(page, "{}", arg.get_help().map(text).unwrap_or_default())?;
    }
    if let Some(examples) = verb.get_after_help() {
        writeln!(page, ".PP\n.nf\n{}\n.fi", text(examples))?;
    }
    for inner in verb.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        write_verb(page, inner, &name)?;
    }
    Ok(())
}

/// Text in roff: no line may start with its control characters, and dashes and backslashes are literal.
fn roff(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line = line.replace('\\', "\\\\").replace('-', "\\-");
        if line.starts_with('.') || line.starts_with('\'') { format!("\\&{line}") } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}
