//! An answer that its client does not read: it is given up. One that is read slowly arrives whole.

use confab_kit::{Confab, Redis, until};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Asks so many times for the largest page that there is, on one connection that takes little ahead of its reader.
async fn ask(confab: &Confab, times: usize) -> TcpStream {
    // Characters that take six bytes in JSON.
    let text = "\u{1}".repeat(64 * 1024);
    confab.send_all("a:b", "a", vec![&text; 8]).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut stream = socket.connect(confab.host().parse().unwrap()).await.unwrap();
    let request = "GET /api/pull?chat=a:b&limit=1000 HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(request.repeat(times).as_bytes()).await.unwrap();
    stream
}

/// Reads so many answers, all alike, with a pause after each piece, or what there is of them. Returns how many bytes came, and how many
/// there should be.
async fn read(stream: &mut TcpStream, times: usize, pause: Duration) -> (usize, usize) {
    let mut piece = vec![0; 64 * 1024];
    let mut answer = Vec::new();
    let mut expected = usize::MAX;
    while answer.len() < expected {
        let Ok(length @ 1..) = stream.read(&mut piece).await else {
            break;
        };
        answer.extend_from_slice(&piece[..length]);
        if let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8(answer[..end].to_vec()).unwrap();
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            let mut lines = head.lines();
            let body = lines.find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            expected = times * (end + 4 + body.parse::<usize>().unwrap());
        }
        tokio::time::sleep(pause).await;
    }
    (answer.len(), expected)
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up_after_a_heartbeat() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("stream_heartbeat_s", 1).start();
    // The operating system takes some megabytes.
    let times = 32;
    let mut stream = ask(&confab, times).await;
    until("the request is under way", async || redis.clients().await > 1).await;
    // Its instance goes once nothing is under way in it.
    until("the instance has ended", async || redis.clients().await == 1).await;
    let (read, expected) = read(&mut stream, times, Duration::ZERO).await;
    println!("answers of {expected} bytes that nobody read: {read} were sent before they were given up");
    assert!(read < expected, "{read} of {expected}");
    // What another client asks for.
    assert_eq!(confab.get("/ping").await.status, 200);
}

#[tokio::test]
async fn answers_that_are_read_slowly_arrive_whole() {
    let redis = Redis::start();
    let confab = Confab::on(&redis).variable("stream_heartbeat_s", 4).start();
    // Longer than the machine may take to fill its buffers again, and shorter than all of it.
    let times = 16;
    let mut stream = ask(&confab, times).await;
    let began = Instant::now();
    let (read, expected) = read(&mut stream, times, Duration::from_millis(25)).await;
    let took = began.elapsed();
    println!("answers of {expected} bytes that were read slowly: {took:?}");
    assert_eq!(read, expected);
    assert!(took > Duration::from_secs(4), "{took:?}");
}
