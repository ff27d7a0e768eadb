//! What the DNS says, from its answers to verdicts.

use std::net::{Ipv4Addr, SocketAddr};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::net::UdpSocket;

use super::*;

#[test]
fn a_text_may_have_others_beside_it_but_no_rival() {
    let spf = "v=spf1 include:amazonses.com ~all";
    let other = "google-site-verification=abc".to_owned();
    assert_eq!(verdict("TXT", spf, &[other.clone(), spf.to_owned()]), Verdict::Ok);
    assert_eq!(verdict("TXT", spf, std::slice::from_ref(&other)), Verdict::Missing);
    let rival = "V=SPF1 -all".to_owned();
    let found = [other, rival.clone(), spf.to_owned()];
    assert_eq!(verdict("TXT", spf, &found[..2]), Verdict::Wrong(vec![rival.clone()]));
    // Two of them are as good as none, so the right one does not help.
    assert_eq!(verdict("TXT", spf, &found), Verdict::Wrong(vec![rival, spf.to_owned()]));
    let (dmarc, loose) = ("v=DMARC1; p=reject", "v=DMARC1;p=none");
    let both = [dmarc, loose].map(ToOwned::to_owned);
    assert_eq!(verdict("TXT", dmarc, &both[..1]), Verdict::Ok);
    assert_eq!(verdict("TXT", dmarc, &both), Verdict::Wrong(both.to_vec()));
}

#[test]
fn every_text_at_the_name_of_a_key_is_taken_for_a_key() {
    let key = "p=MIIBnew";
    let keys = [key, "v=DKIM1; p=MIIBold"].map(ToOwned::to_owned);
    assert_eq!(verdict("TXT", key, &keys[..1]), Verdict::Ok);
    assert_eq!(verdict("TXT", key, &keys[1..]), Verdict::Wrong(keys[1..].to_vec()));
    assert_eq!(verdict("TXT", key, &keys), Verdict::Wrong(keys.to_vec()));
}

#[test]
fn a_name_that_holds_one_value_holds_no_second() {
    let mx = "10 feedback-smtp.us-east-1.amazonses.com";
    assert_eq!(verdict("MX", mx, &[format!("{mx}.")]), Verdict::Ok);
    assert_eq!(verdict("MX", mx, &[]), Verdict::Missing);
    let two = vec![mx.to_owned(), "20 mail.example.com".to_owned()];
    assert_eq!(verdict("MX", mx, &two), Verdict::Wrong(two.clone()));
}

/// A DNS server that answers as the first label of a name tells it to, on a port of its own.
async fn server() -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut question = [0; 512];
        while let Ok((length, asker)) = socket.recv_from(&mut question).await {
            let _ = socket.send_to(&answer(&question[..length]), asker).await;
        }
    });
    address
}

/// The answer to a query of one question, by the bytes of RFC 1035, 4.1.
fn answer(query: &[u8]) -> Vec<u8> {
    const HEADER: usize = 12;
    let name_length = query[HEADER..].iter().position(|byte| *byte == 0).unwrap() + 1;
    let question = &query[HEADER..HEADER + name_length + 4];
    let label = &question[1..=usize::from(question[0])];
    let (code, value): (u8, &[u8]) = match label.to_ascii_lowercase().as_slice() {
        b"format" => (1, b""),
        b"broken" => (2, b""),
        b"gone" => (3, b""),
        b"refused" => (5, b""),
        b"there" => (0, b"v=spf1 -all"),
        _ => (0, b""),
    };
    let mut message = query[..2].to_vec();
    // An answer, from a server that asks others; one question, as many answers as there are values.
    message.extend([0x84, 0x80 | code, 0, 1, 0, u8::from(!value.is_empty()), 0, 0, 0, 0]);
    message.extend(question);
    if let (false, Ok(length)) = (value.is_empty(), u8::try_from(value.len())) {
        // The name of the question, a text of the Internet, for a minute.
        message.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 60, 0, length + 1, length]);
        message.extend(value);
    }
    message
}

async fn asked(address: SocketAddr, name: &str) -> Result<Vec<String>, String> {
    let mut connection = ConnectionConfig::udp();
    connection.port = address.port();
    let server = NameServerConfig::new(address.ip(), true, vec![connection]);
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    ask(&resolver.build().unwrap(), name, "TXT").await
}

#[tokio::test]
async fn a_server_that_gives_no_answer_does_not_say_that_a_record_is_missing() {
    let address = server().await;
    assert_eq!(asked(address, "there.example").await, Ok(vec!["v=spf1 -all".to_owned()]));
    for missing in ["empty.example", "gone.example"] {
        assert_eq!(asked(address, missing).await, Ok(Vec::new()), "{missing}");
    }
    for unanswered in ["format.example", "broken.example", "refused.example"] {
        let reason = asked(address, unanswered).await;
        assert!(
            reason.as_ref().is_err_and(|reason| !reason.is_empty()),
            "{unanswered}: {reason:?}"
        );
    }
}
