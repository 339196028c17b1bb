//! PostgreSQL, RabbitMQ and Redis of a city's own, to be stopped, restarted and emptied without disturbing anybody else's.
//!
//! Programs of the system are run on free ports in a directory that is gone afterwards. As root, PostgreSQL and RabbitMQ run as the users that
//! their packages made, since they refuse or dislike root.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use tokio::net::TcpSocket;

const PATIENCE: Duration = Duration::from_secs(180);

/// The running servers; killed when dropped.
#[derive(Debug)]
pub struct Servers {
    postgres: Postgres,
    rabbitmq: Rabbitmq,
    redis: Redis,
    _directory: TempDir,
}

impl Servers {
    /// Starts all three and waits until they answer.
    pub fn start() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("fenghuo-servers-").tempdir()?;
        // their users must be able to pass through
        open_to_all(directory.path())?;
        let rabbitmq = Rabbitmq::start(directory.path())?;
        let redis = Redis::start(directory.path().to_owned())?;
        let servers = Self { postgres: Postgres::start(directory.path())?, redis, rabbitmq, _directory: directory };
        servers.rabbitmq.wait()?;
        Ok(servers)
    }

    /// `postgres://…`
    pub fn postgres_url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.postgres.port.number)
    }

    /// `amqp://…`
    pub fn rabbitmq_url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}/%2f", self.rabbitmq.port.number)
    }

    /// `redis://…`
    pub fn redis_url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.redis.port.number)
    }

    /// Breaks every connection to PostgreSQL without a shutdown checkpoint, as a crash would, and starts it again.
    pub fn restart_postgres(&self) -> Result<()> {
        self.postgres.control(&["restart", "-m", "immediate"])
    }

    /// Takes PostgreSQL away as a crash would: every connection breaks, nobody answers.
    pub fn stop_postgres(&self) -> Result<()> {
        self.postgres.control(&["stop", "-m", "immediate"])
    }

    /// Brings PostgreSQL back with what was committed.
    pub fn start_postgres(&self) -> Result<()> {
        self.postgres.control(&["start"])
    }

    /// Takes RabbitMQ away: connections end, nobody answers.
    pub fn stop_rabbitmq(&self) -> Result<()> {
        self.rabbitmq.control(&["stop_app"])
    }

    /// Brings RabbitMQ back with what it had on disk.
    pub fn start_rabbitmq(&self) -> Result<()> {
        self.rabbitmq.control(&["start_app"])?;
        self.rabbitmq.wait()
    }

    /// Empties Redis.
    pub fn empty_redis(&self) -> Result<()> {
        self.redis.tell(&["flushall"])
    }

    /// Takes Redis away: connections end, nobody answers. What it held lies on disk.
    pub fn stop_redis(&mut self) -> Result<()> {
        self.redis.tell(&["shutdown", "save"])?;
        self.redis.server.wait()?;
        Ok(())
    }

    /// Brings Redis back with what it held.
    pub fn start_redis(&mut self) -> Result<()> {
        self.redis.server = Redis::begin(&self.redis.port, &self.redis.directory)?;
        Ok(())
    }
}

#[derive(Debug)]
struct Postgres {
    port: Port,
    bin: PathBuf,
    data: PathBuf,
}

impl Postgres {
    fn start(directory: &Path) -> Result<Self> {
        let home = owned_by("postgres", &directory.join("postgres"))?;
        let postgres = Self { port: Port::reserved()?, bin: postgres_bin()?, data: home.join("data") };
        let data = postgres.data.to_string_lossy().into_owned();
        let initdb = postgres.bin.join("initdb");
        output(as_user("postgres", &initdb).args(["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8"]))?;
        let settings = format!("port = {}\nunix_socket_directories = '{}'\nmax_connections = 200\n", postgres.port.number, home.display());
        let file = postgres.data.join("postgresql.conf");
        fs::write(&file, fs::read_to_string(&file)? + &settings)?;
        postgres.control(&["start"])?;
        Ok(postgres)
    }

    fn control(&self, arguments: &[&str]) -> Result<()> {
        let data = self.data.to_string_lossy().into_owned();
        let log = self.data.with_file_name("log").to_string_lossy().into_owned();
        output(as_user("postgres", &self.bin.join("pg_ctl")).args(["-D", &data, "-l", &log, "-w", "-t", "180"]).args(arguments))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.control(&["stop", "-m", "immediate"]);
    }
}

/// Where the server's programs are; distributions keep them out of the path.
fn postgres_bin() -> Result<PathBuf> {
    let said = Command::new("pg_config").arg("--bindir").output().ok().filter(|said| said.status.success());
    let named = said.and_then(|said| String::from_utf8(said.stdout).ok()).map(|path| PathBuf::from(path.trim()));
    let packaged = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    named.into_iter().chain(packaged).find(|bin| bin.join("initdb").is_file()).context("PostgreSQL's initdb is not on this machine")
}

#[derive(Debug)]
struct Rabbitmq {
    port: Port,
    _between_nodes: Port,
    node: String,
    home: PathBuf,
    server: Child,
}

impl Rabbitmq {
    fn start(directory: &Path) -> Result<Self> {
        let home = owned_by("rabbitmq", &directory.join("rabbitmq"))?;
        let (port, between_nodes) = (Port::reserved()?, Port::reserved()?);
        let node = format!("fenghuo-{}@localhost", port.number);
        // the machine's own configuration names the usual port
        fs::write(home.join("rabbitmq.conf"), format!("listeners.tcp.1 = 127.0.0.1:{}\n", port.number))?;
        let mut command = Self::program("rabbitmq-server", &home, &node)?;
        command.env("RABBITMQ_NODE_PORT", port.number.to_string()).env("RABBITMQ_DIST_PORT", between_nodes.number.to_string());
        let server = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        Ok(Self { port, _between_nodes: between_nodes, node, home, server })
    }

    fn program(name: &str, home: &Path, node: &str) -> Result<Command> {
        let inner = rabbitmq_sbin().join(name);
        let program = if inner.is_file() { inner } else { PathBuf::from(name) };
        let mut command = as_user("rabbitmq", &program);
        command
            .env("HOME", home)
            .env("RABBITMQ_NODENAME", node)
            .env("RABBITMQ_MNESIA_BASE", home.join("mnesia"))
            .env("RABBITMQ_LOG_BASE", home.join("log"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", home.join("enabled_plugins"))
            .env("RABBITMQ_CONFIG_FILE", home.join("rabbitmq"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", home.join("none"))
            .env("RABBITMQ_CONF_ENV_FILE", home.join("none"))
            .env("LC_ALL", "C.UTF-8")
            .current_dir(home);
        Ok(command)
    }

    fn control(&self, arguments: &[&str]) -> Result<()> {
        output(Self::program("rabbitmqctl", &self.home, &self.node)?.args(["-n", &self.node]).args(arguments))
    }

    fn wait(&self) -> Result<()> {
        until_open("RabbitMQ", self.port.number)
    }
}

impl Drop for Rabbitmq {
    fn drop(&mut self) {
        if self.control(&["stop"]).is_err() {
            let _ = self.server.kill();
        }
        let _ = self.server.wait();
    }
}

/// Where the programs themselves are; what the package puts into the path insists on changing the user in its own way.
fn rabbitmq_sbin() -> PathBuf {
    let packaged = fs::read_dir("/usr/lib/rabbitmq/lib").into_iter().flatten().flatten().map(|entry| entry.path().join("sbin"));
    packaged.into_iter().find(|sbin| sbin.join("rabbitmq-server").is_file()).unwrap_or_default()
}

#[derive(Debug)]
struct Redis {
    port: Port,
    directory: PathBuf,
    server: Child,
}

impl Redis {
    fn start(directory: PathBuf) -> Result<Self> {
        let port = Port::reserved()?;
        let server = Self::begin(&port, &directory)?;
        Ok(Self { port, directory, server })
    }

    fn begin(port: &Port, directory: &Path) -> Result<Child> {
        let server = Command::new("redis-server")
            .args(["--port", &port.number.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server is not on this machine")?;
        until_open("Redis", port.number)?;
        Ok(server)
    }

    fn tell(&self, words: &[&str]) -> Result<()> {
        output(Command::new("redis-cli").args(["-p", &self.port.number.to_string()]).args(words))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// The program as that user, if we may choose.
fn as_user(user: &str, program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups"]).arg(program);
    command
}

fn owned_by(user: &str, directory: &Path) -> Result<PathBuf> {
    fs::create_dir_all(directory)?;
    if is_root() {
        output(Command::new("chown").arg(user).arg(directory))?;
    }
    Ok(directory.to_owned())
}

fn open_to_all(directory: &Path) -> Result<()> {
    Ok(fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o755))?)
}

/// A port for a server. A socket that nobody listens on keeps it: the system gives it to nobody else, and a server that asks for it by its
/// number, and says like this one that it may be shared (`SO_REUSEADDR`), gets it whenever it starts.
#[derive(Debug)]
struct Port {
    number: u16,
    _keeper: TcpSocket,
}

impl Port {
    fn reserved() -> Result<Self> {
        let keeper = TcpSocket::new_v4()?;
        keeper.set_reuseaddr(true)?;
        keeper.bind(([127, 0, 0, 1], 0).into())?;
        Ok(Self { number: keeper.local_addr()?.port(), _keeper: keeper })
    }
}

fn until_open(name: &str, port: u16) -> Result<()> {
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        ensure!(began.elapsed() < PATIENCE, "{name} does not answer within {} s", PATIENCE.as_secs());
        std::thread::park_timeout(Duration::from_millis(50));
    }
    Ok(())
}

fn output(command: &mut Command) -> Result<()> {
    // a server that stays behind must not hold our pipe open
    let name = format!("{command:?}");
    let errors = tempfile::tempfile()?;
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors.try_clone()?).status().with_context(|| name.clone())?;
    if !status.success() {
        let mut said = String::new();
        std::io::Seek::rewind(&mut &errors)?;
        std::io::Read::read_to_string(&mut &errors, &mut said)?;
        bail!("{name}: {status} {said}");
    }
    Ok(())
}
