//! Clients of event streams that leave, do not read, or are many.

use confab_kit::{Confab, Follower, Redis, numbers, until};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// confab with a heartbeat of one second.
fn start(redis: &Redis) -> Confab {
    Confab::on(redis).variable("stream_heartbeat_s", 1).start()
}

#[tokio::test]
async fn followers_that_leave_release_their_connections() {
    let redis = Redis::start();
    let confab = start(&redis);
    confab.send_all("a:b", "a", numbers(0..10)).await;
    let before = redis.clients().await;
    for round in 0..10 {
        let mut followers = Vec::new();
        for _ in 0..20 {
            let mut follower = Follower::start(&confab, "chat=a:b&cursor=8", None);
            assert_eq!(follower.indexes(2).await, [8, 9], "{round}");
            followers.push(follower);
        }
        until("each follower waits on a connection of its own", async || {
            redis.blocked().await >= followers.len()
        })
        .await;
        // Half of them leave at once.
        followers.truncate(10);
    }
    let left = Instant::now();
    until("nobody waits", async || redis.blocked().await == 0).await;
    until("the connections are closed", async || {
        redis.clients().await <= before + 1
    })
    .await;
    let left = left.elapsed();
    // One heartbeat of a second, and room for a busy machine. Without heartbeats it is the stream's lifetime of five minutes.
    assert!(left < Duration::from_secs(6), "{left:?}");
    println!("200 followers came and went: {left:?} after the last, Redis had {before} connections as before");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected_and_delays_nobody() {
    let redis = Redis::start();
    let confab = start(&redis);
    confab.send_all("a:b", "a", ["first"]).await;
    let before = redis.clients().await;
    let mut stalled = TcpStream::connect(confab.host()).await.unwrap();
    let request = "GET /api/stream?chat=a:b&cursor=0 HTTP/1.1\r\nhost: x\r\n\r\n";
    stalled.write_all(request.as_bytes()).await.unwrap();
    let mut reader = Follower::start(&confab, "chat=a:b&cursor=1", None).opened().await;
    let text = "x".repeat(64 * 1024);
    // More than all buffers between the two can hold.
    for index in 1..=300 {
        confab.send_all("a:b", "a", [&text]).await;
        assert_eq!(reader.next().await.index(), index);
    }
    drop(reader);
    until("both have released their connections", async || {
        redis.blocked().await == 0 && redis.clients().await <= before + 1
    })
    .await;
    // It received a part, and could continue from there.
    let mut had = Vec::new();
    let end = stalled.read_to_end(&mut had);
    _ = tokio::time::timeout(Duration::from_secs(10), end).await;
    let had = String::from_utf8_lossy(&had).matches("\nid: ").count();
    assert!(had < 300, "everything was kept for a client that does not read");
    println!("a client that does not read was disconnected after {had} messages");
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_followers_of_a_hundred_chats_receive_all_messages() {
    const MESSAGES: u64 = 10;
    let redis = Redis::start();
    let confab = Confab::start(&redis);
    let chat = |number: usize| format!("chat{}:x", number % 100);
    let mut followers = Vec::new();
    for number in 0..500 {
        let query = format!("chat={}", chat(number));
        followers.push(Follower::start(&confab, &query, None).opened().await);
    }
    let received: Vec<_> = followers
        .into_iter()
        .map(|mut follower| {
            tokio::spawn(async move {
                let indexes = follower.indexes(usize::try_from(MESSAGES).unwrap()).await;
                (indexes, follower)
            })
        })
        .collect();
    for _ in 0..MESSAGES {
        for number in 0..100 {
            confab.send_all(&chat(number), "x", ["hi"]).await;
        }
    }
    for received in received {
        let (indexes, follower) = received.await.unwrap();
        assert_eq!(indexes, (0..MESSAGES).collect::<Vec<_>>());
        assert_eq!(follower.connected, 1);
    }
    println!("500 followers of 100 chats: {} messages received", 500 * MESSAGES);
}
