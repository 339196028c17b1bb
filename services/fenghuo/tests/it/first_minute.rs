//! The first minute with `fenghuo up`, as a person at a terminal has it, and as a script has it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long the demo may take to be there, on a busy machine with a debug build.
const START: Duration = Duration::from_secs(180);
/// Within this it is gone once it was told to stop.
const GONE: Duration = Duration::from_secs(2);

/// A running demo on a small city.
struct Demo {
    process: Child,
    /// What it has printed before it was up, and then the rest of it.
    said: String,
    rest: BufReader<Box<dyn std::io::Read + Send>>,
    url: String,
}

/// `fenghuo up` on a port that the system chooses, with nothing in its environment that a person has not set.
fn up(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenghuo"));
    command.args(["up", "--listen", "127.0.0.1:0", "--residents", "400", "--data"]).arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for variable in ["RUST_LOG", "NO_COLOR", "DISPLAY", "WAYLAND_DISPLAY", "CI", "SSH_CONNECTION"] {
        command.env_remove(variable);
    }
    command
}

impl Demo {
    /// Starts it and waits for the last line of its welcome.
    fn start(mut command: Command) -> Self {
        let began = Instant::now();
        let mut process = command.spawn().expect("the binary runs");
        let mut rest = BufReader::new(Box::new(process.stdout.take().unwrap()) as Box<dyn std::io::Read + Send>);
        let mut said = String::new();
        while !said.contains("Ctrl-C stops it.") {
            let read = rest.read_line(&mut said).unwrap();
            assert!(read > 0 && began.elapsed() < START, "it is not up after {:?}: {said}", began.elapsed());
        }
        let (_, after) = said.split_once("is up at ").expect("it says where it is");
        let url = after.split_whitespace().next().unwrap().to_owned();
        Self { process, said, rest, url }
    }

    fn host(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Sends a signal, and says how it ended and how long that took.
    fn stop(&mut self, signal: &str) -> (ExitStatus, Duration) {
        let began = Instant::now();
        tell(&self.process, signal);
        let status = self.process.wait().unwrap();
        (status, began.elapsed())
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn tell(process: &Child, signal: &str) {
    let told = Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
    assert!(told.success());
}

/// A request on a connection that stays open, and the head of its answer.
fn ask(host: &str, request: &str) -> (TcpStream, String) {
    let mut connection = TcpStream::connect(host).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    write!(connection, "{request}\r\nHost: {host}\r\n\r\n").unwrap();
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut octet).unwrap() > 0 {
        head.push(octet[0]);
    }
    (connection, String::from_utf8(head).unwrap())
}

#[test]
fn a_demo_says_little_logs_to_its_file_and_goes_at_once_whoever_is_connected() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut demo = Demo::start(up(&data));

    assert!(demo.said.lines().count() <= 12, "{}", demo.said);
    for told in ["a guide in five steps", "/console", "rehearse", "staff.txt", "fenghuo.log"] {
        assert!(demo.said.contains(told), "{told} is missing in:\n{}", demo.said);
    }
    assert!(!demo.said.contains("curl") && !demo.said.contains('\u{1b}'), "{}", demo.said);

    // a page that listens to what happens, and a connection that is kept for later
    let staff = std::fs::read_to_string(data.join("staff.txt")).unwrap();
    let password = staff.lines().find(|line| line.starts_with("command.one")).unwrap().split_whitespace().nth(1).unwrap();
    let body = format!(r#"{{"login":"command.one","password":"{password}"}}"#);
    let sign_in = format!("POST /api/v1/session HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
    let mut connection = TcpStream::connect(demo.host()).unwrap();
    write!(connection, "{sign_in}\r\nHost: {}\r\nConnection: close\r\n\r\n{body}", demo.host()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let token = answer.split_once(r#""token":""#).unwrap_or_else(|| panic!("{answer}")).1.split('"').next().unwrap();
    let code = staff.lines().find(|line| line.starts_with("command.one")).unwrap().split_whitespace().nth(2).unwrap();
    assert!(demo.said.contains(code), "the second factor stands on the screen too:\n{}", demo.said);
    let (_, head) = ask(demo.host(), &format!("GET /api/v1/events HTTP/1.1\r\nAuthorization: Bearer {token}"));
    assert!(head.contains("403 Forbidden"), "a password alone hears nothing: {head}");
    let proof = format!(r#"{{"code":"{code}"}}"#);
    let proving = format!("POST /api/v1/session/proof HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}", proof.len());
    let mut connection = TcpStream::connect(demo.host()).unwrap();
    write!(connection, "{proving}\r\nAuthorization: Bearer {token}\r\nHost: {}\r\nConnection: close\r\n\r\n{proof}", demo.host()).unwrap();
    let mut proved = String::new();
    connection.read_to_string(&mut proved).unwrap();
    assert!(proved.starts_with("HTTP/1.1 200"), "{proved}");
    let token = proved.split_once(r#""token":""#).unwrap_or_else(|| panic!("{proved}")).1.split('"').next().unwrap();
    let (_listening, head) = ask(demo.host(), &format!("GET /api/v1/events HTTP/1.1\r\nAuthorization: Bearer {token}"));
    assert!(head.contains("200 OK") && head.contains("text/event-stream"), "{head}");
    let (_kept, head) = ask(demo.host(), "GET /healthz HTTP/1.1");
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");

    let (status, took) = demo.stop("-INT");
    let mut last = String::new();
    demo.rest.read_to_string(&mut last).unwrap();
    assert!(status.success(), "{status}");
    assert!(took < GONE, "it took {took:?}");
    assert!(last.contains("Goodbye") && last.trim().lines().count() == 1, "{last}");

    let mut errors = String::new();
    demo.process.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(errors, "", "nothing stands on standard error");
    let log = std::fs::read_to_string(data.join("fenghuo.log")).unwrap();
    assert!(log.contains(" INFO ") && !log.contains('\u{1b}'), "{log}");
    println!("gone after {} ms", took.as_millis());
}

#[test]
fn logs_go_where_and_look_as_they_are_asked_to() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut command = up(&data);
    command
        .args(["--empty", "--log-to", "stderr", "--log-format", "json"])
        .env("RUST_LOG", "warn,platform::http=info")
        .env("FENGHUO_TELEMETRY__LEVEL", "off");
    let mut demo = Demo::start(command);
    ask(demo.host(), "GET /no/such/page HTTP/1.1");
    let (status, _) = demo.stop("-TERM");
    assert!(status.success(), "{status}");
    let mut lines = String::new();
    demo.process.stderr.take().unwrap().read_to_string(&mut lines).unwrap();
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect();
    assert!(
        events.iter().any(|event| event["level"] == "INFO" && event["target"].as_str().unwrap().starts_with("platform::http")),
        "{lines}"
    );
    assert!(!data.join("fenghuo.log").exists());
    assert!(!demo.said.contains("fenghuo.log"), "{}", demo.said);
}

/// A terminal of its own, by `script` (util-linux).
struct Terminal {
    demo: Demo,
    keyboard: std::process::ChildStdin,
}

impl Terminal {
    /// Starts the demo at a desk: there is a display, and a browser that writes down what it is to open.
    fn start(data: &Path, desk: &Path) -> (Self, PathBuf) {
        let (browser, opened) = (desk.join("xdg-open"), desk.join("opened"));
        std::fs::write(&browser, format!("#!/bin/sh\necho \"$1\" >{}\n", opened.display())).unwrap();
        std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
        let up = up(data);
        // in place of the shell that `script` starts: not every shell does that by itself, and one that stays dies of Ctrl-C before its child ends
        let line: Vec<_> = std::iter::once("exec".as_ref())
            .chain(std::iter::once(up.get_program()))
            .chain(up.get_args())
            .map(|word| word.to_str().unwrap())
            .collect();
        let mut command = Command::new("script");
        command.args(["--quiet", "--flush", "--return", "--command", &line.join(" "), "/dev/null"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        for (variable, value) in up.get_envs().filter(|(_, value)| value.is_none()) {
            assert!(value.is_none());
            command.env_remove(variable);
        }
        let path = format!("{}:{}", desk.display(), std::env::var("PATH").unwrap());
        command.env("PATH", path).env("DISPLAY", ":0").env("TERM", "xterm");
        let mut demo = Demo::start(command);
        let keyboard = demo.process.stdin.take().unwrap();
        (Self { demo, keyboard }, opened)
    }
}

#[test]
fn at_a_terminal_there_is_never_silence_the_guide_opens_and_ctrl_c_says_goodbye() {
    let directory = tempfile::tempdir().unwrap();
    let (mut terminal, opened) = Terminal::start(&directory.path().join("data"), directory.path());
    for step in ["starting the database", "making the tables", "making the accounts", "starting the services"] {
        assert!(terminal.demo.said.contains(step), "{step} is missing in:\n{}", terminal.demo.said);
    }
    let url = terminal.demo.url.clone();
    let began = Instant::now();
    while std::fs::read_to_string(&opened).map_or(true, |text| text.trim() != url) {
        assert!(began.elapsed() < Duration::from_secs(20), "the browser was not asked to open {url}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    let began = Instant::now();
    terminal.keyboard.write_all(b"\x03").unwrap();
    let status = terminal.demo.process.wait().unwrap();
    let took = began.elapsed();
    let mut last = String::new();
    terminal.demo.rest.read_to_string(&mut last).unwrap();
    assert!(status.success() && took < GONE, "{status} after {took:?}");
    assert!(last.contains("Goodbye") && !last.contains("INFO"), "{last}");
}

#[test]
fn a_second_ctrl_c_ends_a_process_at_once_that_still_has_patience() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fenghuo"));
    command.arg("serve").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.envs([("FENGHUO_SERVER__LISTEN", "127.0.0.1:0"), ("FENGHUO_KEYS__CREATE", "true"), ("FENGHUO_HTTP__DRAIN_SECONDS", "600")]);
    command.env("FENGHUO_DATABASE__DATA_DIR", directory.path().join("database"));
    command.env("FENGHUO_KEYS__MASTER_KEY_FILE", directory.path().join("master.key"));
    let mut process = command.spawn().unwrap();
    let mut said = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let (_, host) = said.trim().split_once("http://").unwrap_or_else(|| panic!("it does not serve: {said}"));
    // a request that is never finished, and that it has patience with
    let mut unfinished = TcpStream::connect(host).unwrap();
    write!(unfinished, "POST /api/v1/session HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{")
        .unwrap();
    ask(host, "GET /healthz HTTP/1.1");

    tell(&process, "-INT");
    // it listens no more, so it has heard the first; the connection that it took is still open
    let began = Instant::now();
    while TcpStream::connect(host).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(20), "it goes on listening");
        std::thread::park_timeout(Duration::from_millis(20));
    }
    assert!(process.try_wait().unwrap().is_none(), "it has patience");
    tell(&process, "-INT");
    let status = process.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(130), None));
}
