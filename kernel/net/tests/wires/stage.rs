//! A listener, clients for it, and what is open.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use xylem_net::admission::{Admission, AdmissionLimits};
use xylem_net::wires::{Bounds, Ended, Framing, Patience, Refusal, WireListener, Wires};

/// Anything takes less.
pub(crate) const SOON: Duration = Duration::from_secs(10);

pub(crate) struct Stage {
    pub(crate) wires: Wires,
    pub(crate) listener: WireListener,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::with(Patience { handshake: SOON, waiting: SOON })
    }

    pub(crate) fn with(patience: Patience) -> Self {
        let listener = WireListener {
            owner: "example.proxy".into(),
            name: "bytes".into(),
            framing: Framing::Socks5,
            addresses: vec!["127.0.0.1:0".parse().unwrap()],
            patience,
            per_label: 2,
        };
        let wires = Wires::new(Admission::new(AdmissionLimits { total: 8, ..AdmissionLimits::default() }));
        wires.listen(vec![listener.clone()]);
        Self { wires, listener }
    }

    /// A connection that has said nothing yet.
    pub(crate) async fn connect(&self) -> TcpStream {
        let ports = self.wires.ports("example.proxy", "bytes");
        TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], ports[0]))).await.unwrap()
    }

    /// One that waits under a label.
    pub(crate) async fn wire(&self, label: &str) -> TcpStream {
        let mut tcp = self.connect().await;
        tcp.write_all(&greeting(label)).await.unwrap();
        let mut answer = vec![0; 2 + 7 + label.len()];
        timeout(SOON, tcp.read_exact(&mut answer)).await.unwrap().unwrap();
        let expected = [&[5, 0, 5, 0, 0, 3, 40], label.as_bytes(), &[0, 0]].concat();
        assert_eq!(answer, expected);
        tcp
    }

    /// The numbers of those that wait under a label.
    pub(crate) fn waiting(&self, label: &str) -> Vec<u64> {
        self.wires.waiting("example.proxy", "bytes", label)
    }

    /// Two clients whose relay has begun, and its end.
    pub(crate) async fn relay(&self, label: &str, bounds: Bounds) -> (TcpStream, TcpStream, oneshot::Receiver<Ended>) {
        let (one, other) = (self.wire(label).await, self.wire(label).await);
        let wires = self.waiting(label);
        let pair = self.wires.claim("example.proxy", wires[0], wires[1], bounds).unwrap();
        let (told, ended) = oneshot::channel();
        pair.start(move |end| {
            let _ = told.send(end);
        });
        (one, other, ended)
    }

    /// Waits until nothing is open any more.
    pub(crate) async fn empty(&self) {
        self.until(|open| open == (0, 0, 0)).await;
    }

    pub(crate) async fn until(&self, holds: impl Fn((u64, u64, u64)) -> bool) {
        let open = || {
            let counts = self.wires.counts();
            (counts.shaking, counts.waiting, counts.relayed)
        };
        let watch = async {
            while !holds(open()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        assert!(timeout(SOON, watch).await.is_ok(), "open: {:?}", open());
    }

    pub(crate) fn refused(&self, why: Refusal) -> u64 {
        let refused = self.wires.counts().refused;
        Refusal::ALL.iter().zip(refused).find(|(known, _)| **known == why).unwrap().1
    }
}

pub(crate) fn bounds() -> Bounds {
    Bounds { user: "juliet".into(), per_user: 10, total: 10, rate: 0, bytes: 0, idle: SOON }
}

pub(crate) fn label(letter: char) -> String {
    letter.to_string().repeat(40)
}

/// Greeting and request in one.
pub(crate) fn greeting(label: &str) -> Vec<u8> {
    [&[5, 1, 0, 5, 1, 0, 3, u8::try_from(label.len()).unwrap()], label.as_bytes(), &[0, 0]].concat()
}

/// Everything until the end, however that comes.
pub(crate) async fn rest(tcp: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = timeout(SOON, tcp.read_to_end(&mut bytes)).await.unwrap();
    bytes
}
