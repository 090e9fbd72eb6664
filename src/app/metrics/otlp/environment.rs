//! Where to send, how and how often: the setting, and the variables that every OpenTelemetry program knows.
//!
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>,
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>

use std::time::Duration;

use crate::app::settings::CollectorAddress;

/// How often it is sent where nothing says otherwise.
const EVERY: Duration = Duration::from_secs(60);

/// How often at most.
const SHORTEST: Duration = Duration::from_millis(200);

/// How long an answer is waited for where nothing says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Most pairs that are taken from a variable.
const PAIRS: usize = 64;

/// Where to send, and what goes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where measures go.
    pub metrics: Option<Signal>,
    /// Where spans go.
    pub traces: Option<Signal>,
    /// How often.
    pub interval: Duration,
    /// What the user says of the resource.
    pub resource: Vec<(String, String)>,
}

/// One place that is sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Where it is; its path is that of the request.
    pub address: CollectorAddress,
    /// In which form.
    pub form: Form,
    /// Lines of the request's head.
    pub headers: Vec<(String, String)>,
    /// How long an answer is waited for.
    pub timeout: Duration,
}

/// A form of the protocol over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Protobuf, in bytes.
    Protobuf,
    /// The same as JSON.
    Json,
}

impl Target {
    /// What the setting and the environment say together; `None`: nothing is sent.
    ///
    /// # Errors
    /// In words, when they name something that is not sent to.
    pub fn of(setting: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        // One that is empty counts as not set.
        let variable = |name: &str| variable(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let disabled = variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        if setting.is_empty() || disabled {
            return Ok(None);
        }
        let off = |name: &str| variable(name).is_some_and(|text| text == "none");
        let signal = |name: &str, path: &str| signal(setting, name, path, &variable);
        let metrics = if off("OTEL_METRICS_EXPORTER") { None } else { Some(signal("METRICS", "/v1/metrics")?) };
        let traces = if off("OTEL_TRACES_EXPORTER") { None } else { Some(signal("TRACES", "/v1/traces")?) };
        let interval = variable("OTEL_METRIC_EXPORT_INTERVAL").and_then(|text| milliseconds(&text));
        let mut resource = variable("OTEL_RESOURCE_ATTRIBUTES").map(|text| pairs(&text)).unwrap_or_default();
        if let Some(name) = variable("OTEL_SERVICE_NAME") {
            resource.retain(|(key, _)| key != "service.name");
            resource.push(("service.name".to_owned(), name));
        }
        Ok(Some(Self { metrics, traces, interval: interval.unwrap_or(EVERY).max(SHORTEST), resource }))
    }
}

fn signal(setting: &str, name: &str, path: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Signal, String> {
    let own = |what: &str| {
        let mine = format!("OTEL_EXPORTER_OTLP_{name}_{what}");
        let all = format!("OTEL_EXPORTER_OTLP_{what}");
        variable(&mine).map(|text| (mine, text)).or_else(|| variable(&all).map(|text| (all, text)))
    };
    let (source, endpoint, whole) = if setting == "env" {
        match own("ENDPOINT") {
            // That of one signal is taken as it is.
            Some((source, endpoint)) => (source.clone(), endpoint, source.contains(name)),
            None => ("the default".to_owned(), "http://localhost:4318".to_owned(), false),
        }
    } else {
        ("metrics.otlp".to_owned(), setting.to_owned(), false)
    };
    let form = match own("PROTOCOL").filter(|_| setting == "env") {
        None => Form::Protobuf,
        Some((source, protocol)) => match protocol.as_str() {
            "http/protobuf" => Form::Protobuf,
            "http/json" => Form::Json,
            _ => {
                let protocol = shown(&protocol);
                return Err(format!("{source} is {protocol}, and http/protobuf and http/json are what is spoken here"));
            }
        },
    };
    let Some(mut address) = CollectorAddress::parse(&endpoint) else {
        let endpoint = shown(&endpoint);
        return Err(format!(
            "{source} is {endpoint}: only a collector on this machine is sent to, as in http://127.0.0.1:4318; it goes on \
             from there with TLS"
        ));
    };
    if !whole {
        address.path.push_str(path);
    } else if address.path.is_empty() {
        address.path.push('/');
    }
    let headers = own("HEADERS").map(|(_, text)| pairs(&text)).unwrap_or_default();
    let headers = headers.into_iter().filter(|(name, value)| is_header(name, value)).collect();
    let timeout = own("TIMEOUT").and_then(|(_, text)| milliseconds(&text)).unwrap_or(TIMEOUT);
    Ok(Signal { address, form, headers, timeout })
}

fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(100).collect::<String>())
}

fn milliseconds(text: &str) -> Option<Duration> {
    text.parse().ok().filter(|milliseconds| *milliseconds > 0).map(Duration::from_millis)
}

/// `key=value,key=value`, the values percent-encoded.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        let key = key.trim();
        (!key.is_empty()).then(|| (key.to_owned(), decoded(value.trim())))
    };
    text.split(',').filter_map(pair).take(PAIRS).collect()
}

/// Percent-encoded bytes as they were. What is none stays.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match byte.filter(|_| bytes[at] == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A line of a head that changes nothing but itself.
fn is_header(name: &str, value: &str) -> bool {
    let own = ["host", "content-length", "content-type", "connection", "transfer-encoding"];
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        && !own.iter().any(|own| name.eq_ignore_ascii_case(own))
        && value.chars().all(|c| !c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(setting: &str, variables: &[(&str, &str)]) -> Result<Option<Target>, String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Target::of(setting, &variable)
    }

    fn places(setting: &str, variables: &[(&str, &str)]) -> [String; 2] {
        let target = of(setting, variables).unwrap().unwrap();
        [target.metrics, target.traces].map(|signal| {
            signal.map_or("-".to_owned(), |signal| format!("{}{}", signal.address.address, signal.address.path))
        })
    }

    #[test]
    fn the_endpoint_is_that_of_the_setting_or_what_the_variables_say() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:9/otlp/");
        let own = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:7/take");
        assert_eq!(of("", &[base]), Ok(None));
        assert_eq!(places("http://127.0.0.1:1", &[base, own]), ["127.0.0.1:1/v1/metrics", "127.0.0.1:1/v1/traces"]);
        assert_eq!(places("env", &[]), ["127.0.0.1:4318/v1/metrics", "127.0.0.1:4318/v1/traces"]);
        assert_eq!(places("env", &[base]), ["127.0.0.1:9/otlp/v1/metrics", "127.0.0.1:9/otlp/v1/traces"]);
        assert_eq!(places("env", &[base, own]), ["127.0.0.1:7/take", "127.0.0.1:9/otlp/v1/traces"]);
        assert_eq!(
            places("env", &[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://127.0.0.1:7")])[0],
            "127.0.0.1:7/",
            "as it is"
        );
        assert_eq!(places("env", &[("OTEL_TRACES_EXPORTER", "none")])[1], "-");
        assert_eq!(of("env", &[base, ("OTEL_SDK_DISABLED", "TRUE")]), Ok(None));
        assert_eq!(of("http://127.0.0.1", &[("OTEL_SDK_DISABLED", "true")]), Ok(None));
        assert!(of("env", &[base, ("OTEL_SDK_DISABLED", "")]).unwrap().is_some());
        for wrong in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://localhost:4318"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector.example:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ] {
            assert!(of("env", &[wrong]).unwrap_err().contains(wrong.0), "{wrong:?}");
        }
        assert!(of("http://127.0.0.1", &[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).is_ok());
    }

    proptest::proptest! {
        /// Whatever a variable says, no line of a request's head is made of it that it does not name.
        #[test]
        fn no_variable_breaks_a_request(text in ".{0,120}") {
            let target = of("env", &[("OTEL_EXPORTER_OTLP_HEADERS", &text), ("OTEL_RESOURCE_ATTRIBUTES", &text)]);
            for (name, value) in target.unwrap().unwrap().metrics.unwrap().headers {
                proptest::prop_assert!(!name.contains([':', '\r', '\n', ' ']) && !value.contains(['\r', '\n']));
            }
            let target = of("env", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &text)]);
            if let Ok(Some(Target { metrics: Some(signal), .. })) = target {
                proptest::prop_assert!(signal.address.address.ip().is_loopback());
            }
        }
    }

    #[test]
    fn headers_times_and_the_resource_are_read_as_documented() {
        let target = of(
            "env",
            &[
                ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=all, x = a%20b%2Cc ,broken,Host=evil,n=a%0d%0aX: y"),
                ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "api-key=traces"),
                ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
                ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "soon"),
                ("OTEL_METRIC_EXPORT_INTERVAL", "5000"),
                ("OTEL_RESOURCE_ATTRIBUTES", "host.name=box,team=a%2Bb,service.name=x"),
                ("OTEL_SERVICE_NAME", "orc"),
            ],
        );
        let target = target.unwrap().unwrap();
        let (metrics, traces) = (target.metrics.unwrap(), target.traces.unwrap());
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(metrics.headers, [pair("api-key", "all"), pair("x", "a b,c")]);
        assert_eq!(traces.headers, [pair("api-key", "traces")]);
        assert_eq!((metrics.timeout, traces.timeout), (TIMEOUT, Duration::from_millis(2500)));
        assert_eq!(target.interval, Duration::from_secs(5));
        assert_eq!(target.resource, [pair("host.name", "box"), pair("team", "a+b"), pair("service.name", "orc")]);
        assert_eq!(of("env", &[("OTEL_METRIC_EXPORT_INTERVAL", "0")]).unwrap().unwrap().interval, EVERY);
        assert_eq!(decoded("100%25 %zz%e4%"), "100% %zz\u{fffd}%");
    }
}
