//! The oldest Rust that `Cargo.toml` names is enough for all that we depend on. For our own code clippy says so
//! (`incompatible_msrv`).

use std::process::Command;

use serde_json::Value;

/// `1.89` or `1.89.0` as numbers.
fn release(text: &str) -> (u32, u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().expect("a number"));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

#[test]
fn no_dependency_needs_a_newer_rust_than_we_say() {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", host().as_str()])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let all: Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let packages = all["packages"].as_array().expect("packages");
    let ours = release(env!("CARGO_PKG_RUST_VERSION"));
    assert!(ours >= (1, 85, 0), "the edition alone needs 1.85: {ours:?}");
    let newer: Vec<String> = packages
        .iter()
        .filter_map(|package| {
            let needed = package["rust_version"].as_str()?;
            (release(needed) > ours).then(|| format!("{} {} needs {needed}", package["name"], package["version"]))
        })
        .collect();
    assert!(packages.len() > 50, "only {} packages are known", packages.len());
    assert!(newer.is_empty(), "rust-version in Cargo.toml is {ours:?}, but {newer:?}");
}

/// The platform we are built for.
fn host() -> String {
    let out = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host").to_owned()
}

#[test]
fn the_readme_names_the_same_rust() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    let wanted = format!("Rust {} or newer", env!("CARGO_PKG_RUST_VERSION"));
    assert!(readme.contains(&wanted), "README.md says nothing of {wanted}");
}
