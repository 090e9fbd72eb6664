//! `config path / check / show / init`.

use std::{
    collections::BTreeMap,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use serde_json::{Value, json};

use crate::app::cli::{ConfigVerb, Context, Failure, Look};
use crate::app::settings::{self, Overrides, SettingsError};

/// Runs one of them.
pub fn run(verb: &ConfigVerb, context: &mut Context) -> Result<(), Failure> {
    match verb {
        ConfigVerb::Path => context.out.line(context.paths.config.display().to_string()),
        ConfigVerb::Check(report) => check(context, report.json),
        ConfigVerb::Show(report) => show(context, report.json),
        ConfigVerb::Init { force } => init(context, *force),
    }
}

/// Checks the settings, and the files they lead to: agent profiles and script strategies.
fn check(context: &mut Context, as_json: bool) -> Result<(), Failure> {
    let file = context.paths.config.display().to_string();
    let (exists, mut problems) = match context.load(&Overrides::new()) {
        Ok(loaded) => (loaded.file.is_some(), Vec::new()),
        Err(error) => (true, error.0),
    };
    problems.extend(settings::problems_beside(&context.paths));
    if as_json {
        context
            .out
            .json(&json!({ "file": file, "exists": exists, "ok": problems.is_empty(), "problems": problems }))?;
        return if problems.is_empty() { Ok(()) } else { Err(Failure::silent(2)) };
    }
    if !problems.is_empty() {
        return Err(SettingsError(problems).into());
    }
    if exists {
        context.out.line(format!("{file}: good"))
    } else {
        context.out.line(format!("{file}: not there; the defaults are in force (`tmux-orc config init` writes them)"))
    }
}

fn show(context: &mut Context, as_json: bool) -> Result<(), Failure> {
    let loaded = context.load(&Overrides::new())?;
    if as_json {
        let origins: BTreeMap<&str, String> =
            loaded.rows().map(|(row, _, origin)| (row.path, origin.to_string())).collect();
        let file = loaded.file.as_ref().map(|file| file.display().to_string());
        return context.out.json(&json!({ "file": file, "settings": loaded.settings, "origins": origins }));
    }
    let origin = match &loaded.file {
        Some(file) => format!("# {}", file.display()),
        None => format!("# {} is not there", context.paths.config.display()),
    };
    context.out.line(context.out.paint(Look::Muted, &origin))?;
    let mut open: Vec<&str> = Vec::new();
    let mut rows = Vec::new();
    for (row, value, origin) in loaded.rows() {
        let names: Vec<&str> = row.path.split('.').collect();
        let (name, sections) = names.split_last().unwrap_or((&"", &[]));
        let common = open.iter().zip(sections).take_while(|(a, b)| a == b).count();
        for (depth, section) in sections.iter().enumerate().skip(common) {
            rows.push(vec![(Look::Title, format!("{}{section}:", "  ".repeat(depth)))]);
        }
        open = sections.to_vec();
        let indent = "  ".repeat(sections.len());
        let look = if *origin == settings::Origin::Default { Look::Muted } else { Look::Plain };
        rows.push(vec![(Look::Plain, format!("{indent}{name}: {}", flow(value))), (look, format!("# {origin}"))]);
    }
    context.out.table(&rows)
}

/// A value as YAML on one line. JSON is YAML; plain words lose their quotes where that cannot be misread.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text)
            if text.bytes().all(|b| b.is_ascii_alphabetic()) && !is_reserved(text) && !text.is_empty() =>
        {
            text.clone()
        }
        Value::Array(list) if !list.is_empty() => {
            format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn is_reserved(text: &str) -> bool {
    ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str())
}

fn init(context: &mut Context, force: bool) -> Result<(), Failure> {
    let path = context.paths.config.clone();
    let wrong = |what: &str, error: std::io::Error| {
        let hint = "set TMUX_ORC_HOME to a directory that you can write, or name a file with --config";
        Failure::failed(format!("{}: cannot {what}: {error}; {hint}", path.display()))
    };
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|error| wrong("make its directory", error))?;
    }
    if !force && path.symlink_metadata().is_ok() {
        return Err(Failure::failed(format!("{}: is there already; --force replaces it", path.display())));
    }
    // Written beside it first: half a file would be read as settings, and what is there stays until this is whole.
    let fresh = path.with_extension(format!("yaml.{}", std::process::id()));
    let put = write_new(&fresh).map_err(|error| wrong("write it", error)).and_then(|()| {
        if force && path.symlink_metadata().is_ok() {
            let old = path.with_extension("yaml.old");
            std::fs::rename(&path, old).map_err(|error| wrong("keep the old file", error))?;
        }
        std::fs::rename(&fresh, &path).map_err(|error| wrong("put it in its place", error))
    });
    if put.is_err() {
        std::fs::remove_file(&fresh).ok();
    }
    put?;
    context.out.line(format!("{}: written", path.display()))
}

/// Writes the default settings to a file that is not there yet, down to the disk.
fn write_new(path: &Path) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(settings::DEFAULT_FILE.as_bytes())?;
    file.sync_all()
}
