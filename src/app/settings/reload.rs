//! What differs between the settings before and after they were read again.

use serde_json::Value;

use crate::app::settings::{Settings, table};
use crate::monitor::Change;

/// The settings of one section that differ, in the table's order.
#[must_use]
pub fn changes(section: &str, before: &Settings, after: &Settings) -> Vec<Change> {
    let tree = |settings: &Settings| serde_json::to_value(settings).unwrap_or_default();
    let (before, after) = (tree(before), tree(after));
    let inside = |path: &&str| path.strip_prefix(section).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    let differing = table::ROWS.iter().map(|row| row.path).filter(inside).filter_map(|path| {
        let value = |tree: &Value| tree.pointer(&format!("/{}", path.replace('.', "/"))).cloned().unwrap_or_default();
        let (from, to) = (value(&before), value(&after));
        (from != to).then(|| Change { setting: path.to_owned(), from: written(&from), to: written(&to) })
    });
    differing.collect()
}

/// A value in the words of the settings file.
fn written(value: &Value) -> String {
    match value {
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::String(text) if !text.is_empty() => text.clone(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Array(list) => list.iter().map(written).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_in_the_section_is_told() {
        let before = crate::app::settings::defaults();
        assert_eq!(changes("notifications", &before, &before), []);
        let mut after = before.clone();
        after.monitoring.max_failures = 9;
        after.notifications.enabled = true;
        after.notifications.sessions = vec!["api".to_owned(), "web".to_owned()];
        after.dashboard.theme = "light".to_owned();
        let change = |setting: &str, from: &str, to: &str| Change {
            setting: setting.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        let told = [change("notifications.enabled", "off", "on"), change("notifications.sessions", "none", "api, web")];
        assert_eq!(changes("notifications", &before, &after), told);
        assert_eq!(changes("dashboard", &before, &after), [change("dashboard.theme", "auto", "light")]);
    }
}
