//! Sends what a service is to be sent, by curl: it knows TLS, proxies and certificates as its user set them up.

use std::time::Duration;

use tokio::process::Command;

use crate::app::notify::program::run_to_end;
use crate::app::notify::service::Request;
use crate::tmux::clean;

/// Longest time that curl may take: a little more than it allows itself, and less than a notice may.
const LIMIT: Duration = Duration::from_secs(9);

/// Longest part of a service's answer that an error shows, in characters.
const LONGEST: usize = 160;

/// Sends it.
///
/// # Errors
/// It did not arrive, or the service refused it: why.
pub async fn post(request: &Request) -> Result<(), String> {
    let mut command = Command::new("curl");
    // All else comes by its standard input: other users see the arguments.
    command.args(["--config", "-"]);
    let said = run_to_end(command, request.curl_config().into_bytes(), LIMIT).await.map_err(|problem| {
        if problem.starts_with("it cannot be started") { format!("curl is needed: {problem}") } else { problem }
    })?;
    let error = String::from_utf8_lossy(&said.error);
    let status = error.lines().rev().find_map(|line| line.strip_prefix("status ")?.trim().parse::<u16>().ok());
    match status {
        Some(200..300) => Ok(()),
        Some(status) => {
            let answer = clean(&String::from_utf8_lossy(&said.output));
            let answer = answer.split_whitespace().collect::<Vec<_>>().join(" ");
            Err(format!(
                "the service refused it, status {status}: {}",
                answer.chars().take(LONGEST).collect::<String>()
            ))
        }
        None => Err("curl did not say what the service answered".to_owned()),
    }
}
