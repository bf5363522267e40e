//! Ports on loopback that stay a test's own, even while nothing listens on them.

use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::{TcpListener, TcpSocket};

/// Something with an address.
pub trait Endpoint {
    /// Its address, as `host:port`.
    fn host(&self) -> String;
}

impl Endpoint for str {
    fn host(&self) -> String {
        self.to_owned()
    }
}

/// A port of 127.0.0.1, held until it is dropped.
///
/// A server that is killed and started again needs the same port again, and every outgoing connection in between may take it.
/// So a second socket holds the port: bound, with `SO_REUSEADDR`, never listening. Linux then gives the port to no one who asks
/// for a free one, but to a server that names it and sets the same option, as Redis does.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _held: TcpSocket,
}

impl Port {
    /// Holds a free port.
    pub fn reserve() -> Self {
        let held = bind(0);
        Self {
            number: held.local_addr().unwrap().port(),
            _held: held,
        }
    }

    /// The port's number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Listens on the port. It may do so again after the listener is dropped.
    pub fn listen(&self) -> TcpListener {
        bind(self.number).listen(1024).unwrap()
    }
}

/// A place where nothing listens, unless [`Port::listen`] does.
impl Endpoint for Port {
    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }
}

fn bind(port: u16) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).unwrap();
    socket
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn a_port_refuses_connections_until_it_is_listened_on_and_can_be_used_again() {
        let port = Port::reserve();
        for _ in 0..3 {
            assert!(TcpStream::connect(port.host()).await.is_err());
            let listener = port.listen();
            let client = TcpStream::connect(port.host()).await.unwrap();
            let (server, _) = listener.accept().await.unwrap();
            drop((server, client));
        }
    }

    #[tokio::test]
    async fn nobody_who_asks_for_a_free_port_receives_one_that_is_held() {
        let held: Vec<_> = (0..50).map(|_| Port::reserve()).collect();
        let others: Vec<_> = (0..500).map(|_| bind(0)).collect();
        for port in &held {
            assert!(
                others
                    .iter()
                    .all(|other| other.local_addr().unwrap().port() != port.number)
            );
        }
    }
}
