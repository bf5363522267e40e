//! A Redis that refuses on purpose: it passes commands on to a real one, but for those that a test has answers for.

use crate::{Endpoint, Port};
use std::collections::HashMap;
use std::io::Result;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A Redis that gives a test's own answers to some commands.
pub struct RefusingRedis {
    port: Port,
    shared: Arc<Mutex<Shared>>,
    accepting: JoinHandle<()>,
}

/// What happens to a command.
#[derive(Clone)]
enum Answer {
    /// It is answered with this line, and the real Redis does not receive it.
    Line(String),
    /// The real Redis receives it so much later.
    Late(Duration),
}

#[derive(Default)]
struct Shared {
    /// By the command's name: the answer, and how often it is still given.
    answers: HashMap<String, (Answer, usize)>,
    /// What each new connection receives before it is closed.
    greeting: Option<String>,
    connections: usize,
    /// How often each command has come.
    commands: HashMap<String, usize>,
    /// Ends the connections that are open.
    cut: Option<watch::Sender<()>>,
}

impl RefusingRedis {
    /// Starts one in front of this Redis. It refuses nothing yet.
    pub fn start(redis: &impl Endpoint) -> Self {
        let port = Port::reserve();
        let shared = Arc::default();
        let accepting = tokio::spawn(accept(port.listen(), redis.host(), Arc::clone(&shared)));
        Self {
            port,
            shared,
            accepting,
        }
    }

    /// Answers these commands, in upper case, with a line like `-OOM command not allowed`.
    pub fn answer(&self, commands: &[&str], line: &str) {
        self.answer_times(usize::MAX, commands, line);
    }

    /// The same, so many times for each command. Then they pass.
    pub fn answer_times(&self, times: usize, commands: &[&str], line: &str) {
        let answer = Answer::Line(format!("{line}\r\n"));
        let answers = commands
            .iter()
            .map(|name| ((*name).to_owned(), (answer.clone(), times)));
        self.shared.lock().unwrap().answers.extend(answers);
    }

    /// Passes this command on only after a while, so many times.
    pub fn delay(&self, times: usize, command: &str, delay: Duration) {
        let answer = (Answer::Late(delay), times);
        self.shared.lock().unwrap().answers.insert(command.to_owned(), answer);
    }

    /// Closes the connections that are open.
    pub fn cut(&self) {
        self.shared.lock().unwrap().cut = None;
    }

    /// Sends each new connection this line, and closes it.
    pub fn greet(&self, line: &str) {
        self.shared.lock().unwrap().greeting = Some(format!("{line}\r\n"));
    }

    /// Passes everything on, from now on.
    pub fn pass(&self) {
        let mut shared = self.shared.lock().unwrap();
        shared.answers.clear();
        shared.greeting = None;
    }

    /// How many connections have come so far.
    pub fn connections(&self) -> usize {
        self.shared.lock().unwrap().connections
    }

    /// How often this command has come so far.
    pub fn count(&self, command: &str) -> usize {
        self.shared.lock().unwrap().commands.get(command).copied().unwrap_or(0)
    }
}

impl Endpoint for RefusingRedis {
    fn host(&self) -> String {
        self.port.host()
    }
}

impl Drop for RefusingRedis {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Shared {
    /// Counts a command, and returns the test's answer to it.
    fn meet(&mut self, command: &str) -> Option<Answer> {
        *self.commands.entry(command.to_owned()).or_default() += 1;
        let (answer, times) = self.answers.get_mut(command)?;
        *times = times.checked_sub(1)?;
        Some(answer.clone())
    }

    /// Fails once the connections that are open now are cut.
    fn until_cut(&mut self) -> watch::Receiver<()> {
        self.cut.get_or_insert_with(|| watch::Sender::new(())).subscribe()
    }
}

async fn accept(listener: TcpListener, redis: String, shared: Arc<Mutex<Shared>>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let (redis, shared) = (redis.clone(), Arc::clone(&shared));
        let mut cut = shared.lock().unwrap().until_cut();
        tokio::spawn(async move {
            tokio::select! {
                // If either side breaks off, both are closed.
                _ = serve(client, &redis, &shared) => {}
                _ = cut.changed() => {}
            }
        });
    }
}

async fn serve(mut client: TcpStream, redis: &str, shared: &Mutex<Shared>) -> Result<()> {
    let greeting = {
        let mut shared = shared.lock().unwrap();
        shared.connections += 1;
        shared.greeting.clone()
    };
    if let Some(greeting) = greeting {
        return client.write_all(greeting.as_bytes()).await;
    }
    client.set_nodelay(true)?;
    let mut server = BufReader::new(TcpStream::connect(redis).await?);
    server.get_ref().set_nodelay(true)?;
    let (from_client, mut to_client) = client.into_split();
    let mut from_client = BufReader::new(from_client);
    loop {
        let mut command = Vec::new();
        read_value(&mut from_client, &mut command).await?;
        let answer = shared.lock().unwrap().meet(&name_of(&command));
        let delay = match answer {
            Some(Answer::Line(line)) => {
                to_client.write_all(line.as_bytes()).await?;
                continue;
            }
            Some(Answer::Late(delay)) => delay,
            None => Duration::ZERO,
        };
        tokio::time::sleep(delay).await;
        server.get_mut().write_all(&command).await?;
        let mut reply = Vec::new();
        read_value(&mut server, &mut reply).await?;
        to_client.write_all(&reply).await?;
    }
}

/// The name of a command, an array of strings: `*2\r\n$4\r\nPING\r\n...`.
fn name_of(command: &[u8]) -> String {
    let name = command.split(|byte| *byte == b'\n').nth(2).unwrap_or_default();
    String::from_utf8_lossy(name.trim_ascii_end()).to_uppercase()
}

/// Reads one value of Redis's protocol, as it came.
fn read_value<'a>(
    from: &'a mut (impl AsyncBufReadExt + Unpin + Send),
    to: &'a mut Vec<u8>,
) -> Pin<Box<dyn Future<Output = Result<()>> + Send + 'a>> {
    Box::pin(async move {
        let start = to.len();
        if from.read_until(b'\n', to).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let count = String::from_utf8_lossy(&to[start + 1..]);
        let count: i64 = count.trim_end().parse().unwrap_or(-1);
        match to[start] {
            b'$' if count >= 0 => {
                let mut string = vec![0; usize::try_from(count).unwrap() + 2];
                from.read_exact(&mut string).await?;
                to.extend(string);
            }
            b'*' => {
                for _ in 0..count.max(0) {
                    read_value(from, to).await?;
                }
            }
            _ => {}
        }
        Ok(())
    })
}
