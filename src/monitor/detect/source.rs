//! Reads the text of a profile, each mistake with its place, and lays a user's over a built-in one.

use std::path::Path;

use crate::monitor::detect::profile::Source;
use crate::monitor::detect::profiles::ProfileError;
use crate::yaml;

pub(super) fn bad(path: &Path, line: usize, column: usize, reason: String) -> ProfileError {
    ProfileError::Bad { path: path.to_owned(), line, column, reason }
}

pub(super) fn parse(path: &Path, text: &str) -> Result<Source, ProfileError> {
    let source: Source = yaml::read(text).map_err(|e| {
        let (line, column) = e.place.unwrap_or((1, 1));
        let reason = e.message;
        // The reader ends its words with the place, which is already in front.
        let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(words, _)| words);
        bad(path, line, column, reason.to_owned())
    })?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if source.name != stem {
        let line = line_of(text, &format!("name: {}", source.name));
        return Err(bad(
            path,
            line,
            1,
            format!("the name is `{}` but the file is called `{stem}`: they must be equal", source.name),
        ));
    }
    // Names are checked here, where the text can still tell the line.
    if !source.extends {
        let names: Vec<&str> = source.regions.0.iter().map(|(name, _)| name.as_str()).collect();
        for (index, (name, ways)) in source.regions.0.iter().enumerate() {
            let others = ways.iter().flat_map(|way| [&way.over, &way.under, &way.within, &way.without]).flatten();
            for other in others {
                if names[index..].contains(&other.as_str()) {
                    let line = line_of(text, &format!("  {name}:"));
                    return Err(bad(path, line, 1, too_late(name, other)));
                }
            }
        }
        for (wanted, near) in references(&source) {
            if !is_place(&names, &wanted) {
                return Err(bad(path, line_of(text, &near), 1, unknown_region(&wanted, &names)));
            }
        }
    }
    Ok(source)
}

/// Reads a built-in profile out of the JSON that `build.rs` made of it. The tests read its YAML too, as a user's.
pub(super) fn parse_embedded(path: &Path, json: &str) -> Result<Source, ProfileError> {
    serde_json::from_str(json).map_err(|e| bad(path, e.line(), e.column(), e.to_string()))
}

fn line_of(text: &str, near: &str) -> usize {
    text.lines().position(|line| line.contains(near)).map_or(1, |index| index + 1)
}

fn is_place(names: &[&str], wanted: &str) -> bool {
    wanted == "screen" || wanted == "title" || names.contains(&wanted)
}

pub(super) fn too_late(name: &str, other: &str) -> String {
    format!("region `{name}` refers to `{other}`, which must come before it")
}

pub(super) fn unknown_region(wanted: &str, names: &[&str]) -> String {
    format!("there is no region `{wanted}`, expected one of screen, title, {}", names.join(", "))
}

/// Every region a profile names, with words that are found near it.
fn references(source: &Source) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (name, ways) in &source.regions.0 {
        for other in ways.iter().flat_map(|way| [&way.over, &way.under, &way.within, &way.without]).flatten() {
            all.push((other.clone(), format!("{name}:")));
        }
    }
    for rule in &source.rules {
        let near = format!("id: {}", rule.id);
        all.extend(rule.also.iter().filter_map(|look| look.region.clone()).map(|r| (r, near.clone())));
        all.extend(
            rule.region
                .iter()
                .chain(rule.when.regions.keys())
                .chain(&rule.when.cursor_in)
                .map(|r| (r.clone(), near.clone())),
        );
    }
    all.extend(source.extract.iter().map(|e| (e.region.clone(), format!("in: {}", e.region))));
    all.extend(source.answers.iter().filter_map(|a| a.region.clone()).map(|r| (r.clone(), format!("in: {r}"))));
    all.extend(source.recognise.by_screen.iter().map(|s| (s.region.clone(), format!("in: {}", s.region))));
    all
}

/// Puts a user's profile before the built-in one: its regions win by name, its rules are tried first.
pub(super) fn extend(base: &mut Source, user: Source) {
    base.title = user.title.or(base.title.take());
    base.note = user.note.or(base.note.take());
    base.versions.extend(user.versions);
    base.recognise.names.extend(user.recognise.names);
    base.recognise.packages.extend(user.recognise.packages);
    base.recognise.modules.extend(user.recognise.modules);
    base.recognise.not_with.extend(user.recognise.not_with);
    base.recognise.only_with = user.recognise.only_with.or(base.recognise.only_with.take());
    base.recognise.headless_with.extend(user.recognise.headless_with);
    base.recognise.switches.extend(user.recognise.switches);
    base.recognise.by_screen.extend(user.recognise.by_screen);
    for (name, ways) in user.regions.0 {
        match base.regions.0.iter_mut().find(|(n, _)| *n == name) {
            Some(slot) => slot.1 = ways,
            None => base.regions.0.push((name, ways)),
        }
    }
    let mut rules = user.rules;
    let own: Vec<String> = rules.iter().map(|rule| rule.id.clone()).collect();
    rules.extend(base.rules.drain(..).filter(|rule| !own.contains(&rule.id)));
    base.rules = rules;
    let mut extract = user.extract;
    extract.append(&mut base.extract);
    base.extract = extract;
    let mut answers = user.answers;
    answers.append(&mut base.answers);
    base.answers = answers;
    base.keys.extend(user.keys);
    base.session_file = user.session_file.or(base.session_file.take());
    base.transcript = user.transcript.or(base.transcript.take());
}
