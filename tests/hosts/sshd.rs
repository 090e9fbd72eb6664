//! An sshd of a test's own on loopback: own keys, own port, own configuration, and a way to it that can be cut.

use std::{
    fs,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tempfile::TempDir;
use tmux_orc::monitor::{Connector, HostConfig, Shared};

use crate::place::Place;
use crate::support::{PATIENCE, Program, wait_for};

/// Where sshd is, or nothing where it is not installed. In CI it must be.
pub fn program() -> Option<PathBuf> {
    let places = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];
    let found = places.into_iter().map(PathBuf::from).find(|path| path.exists());
    assert!(found.is_some() || std::env::var_os("CI").is_none(), "CI has no sshd: .ci/run installs it");
    if found.is_none() {
        eprintln!("no sshd here: skipped");
    }
    found
}

pub struct Sshd {
    dir: TempDir,
    port: u16,
    child: Child,
}

fn keygen(file: &Path) {
    let status = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(file).status();
    assert!(status.expect("ssh-keygen").success());
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

impl Sshd {
    /// One that lets these hosts in, each by a key of its own.
    pub fn start(program: &Path, hosts: &[(&str, &Place)]) -> Self {
        let dir = tempfile::Builder::new().prefix("orc-sshd-").tempdir_in("/tmp").expect("a directory");
        let at = |name: &str| dir.path().join(name);
        keygen(&at("host"));
        let mut authorized = String::new();
        for (name, place) in hosts {
            let key = at(&format!("key-{name}"));
            keygen(&key);
            let public = fs::read_to_string(key.with_extension("pub")).expect("the key");
            let forced = place.forced().replace('\\', "\\\\").replace('"', "\\\"");
            authorized.push_str(&format!("command=\"{forced}\",restrict,pty {public}"));
        }
        fs::write(at("authorized"), authorized).expect("written");
        let port = free_port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\n",
            at("host").display(),
            at("authorized").display(),
        );
        fs::write(at("sshd_config"), config).expect("written");
        if rustix::process::geteuid().is_root() {
            // As a package's start script makes it: sshd does not start as root without it.
            fs::create_dir_all("/run/sshd").expect("sshd's directory");
        }
        let log = fs::File::create(at("log")).expect("a log");
        let mut command = Command::new(program);
        command.args(["-D", "-e", "-f"]).arg(at("sshd_config")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let child = command.spawn().expect("sshd starts");
        let sshd = Self { dir, port, child };
        wait_for("sshd", PATIENCE, || TcpStream::connect(("127.0.0.1", port)).is_ok());
        sshd.trust("127.0.0.1", port);
        sshd
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The client's configuration knows the host's key at this port.
    pub fn trust(&self, address: &str, port: u16) {
        let file = self.dir.path().join("known");
        let mut known = fs::OpenOptions::new().create(true).append(true).open(file).expect("known hosts");
        writeln!(known, "{}", self.known_at(address, port)).expect("written");
    }

    /// The line of a file of known hosts for this port.
    pub fn known(&self, port: u16) -> String {
        self.known_at("127.0.0.1", port)
    }

    fn known_at(&self, address: &str, port: u16) -> String {
        let public = fs::read_to_string(self.dir.path().join("host.pub")).expect("the key");
        format!("[{address}]:{port} {public}")
    }

    /// The host of this name by ssh, with the words that are ours: only the client's configuration is the test's.
    pub fn config(&self, name: &str, port: u16, program: Option<&str>) -> HostConfig {
        let file = self.dir.path().join(format!("config-{name}-{port}"));
        fs::write(&file, self.client(name, port, &self.dir.path().join("known"), "yes")).expect("written");
        let connector = Connector::Ssh { destination: name.to_owned(), program: program.map(str::to_owned) };
        let host = HostConfig { name: name.to_owned(), connector, servers: Vec::new(), read_only: false };
        let mut words = host.argv(&Shared::Configured, false);
        words.splice(1..1, ["-F".to_owned(), file.display().to_string()]);
        HostConfig { connector: Connector::Command(words), ..host }
    }

    /// What the client's configuration says of a host: all that is the user's own is the test's. `strict`: whether a host's
    /// key that is not known is asked for.
    pub fn client(&self, name: &str, port: u16, known: &Path, strict: &str) -> String {
        let user = Command::new("id").arg("-un").output().expect("id").stdout;
        let user = String::from_utf8_lossy(&user).trim().to_owned();
        format!(
            "Host {name}\n HostName 127.0.0.1\n Port {port}\n User {user}\n IdentityFile {}\n IdentitiesOnly yes\n \
             IdentityAgent none\n UserKnownHostsFile {}\n GlobalKnownHostsFile /dev/null\n StrictHostKeyChecking {strict}\n",
            self.key(name).display(),
            known.display()
        )
    }

    /// The key that lets a client in to a host.
    pub fn key(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("key-{name}"))
    }

    /// The program with the socket of this place: what `program:` of the settings would name.
    pub fn bridge_of(&self, name: &str, place: &Place) -> String {
        let file = self.dir.path().join(format!("orc-{name}"));
        let socket = place.stage.server.socket().display();
        crate::support::write_program(&file, &format!("#!/bin/sh\nexec {} -S {socket} \"$@\"\n", Program::PATH));
        file.display().to_string()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A way to a port that can be cut: then nothing goes through, and nobody is told.
pub struct Proxy {
    port: u16,
    cut: Arc<AtomicBool>,
}

impl Proxy {
    pub fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("a port").port();
        let cut = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&cut);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(there) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                for (from, into) in [(&stream, &there), (&there, &stream)] {
                    let (from, into) = (from.try_clone().expect("a clone"), into.try_clone().expect("a clone"));
                    let cut = Arc::clone(&shared);
                    thread::spawn(move || forward(from, into, &cut));
                }
            }
        });
        Self { port, cut }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }
}

fn forward(mut from: TcpStream, mut into: TcpStream, cut: &AtomicBool) {
    let mut chunk = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        while cut.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(20));
        }
        if into.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    // The end of a connection does not come through either.
    while cut.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(20));
    }
    into.shutdown(Shutdown::Both).ok();
}
