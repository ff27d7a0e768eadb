//! The screen that is shown again and again.

use std::ffi::OsString;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sesinfra::commands::{Host, run};
use sesinfra_local::dns::Dns;

use super::{applied, lose_a_dkim_record};
use crate::it::account::ACCOUNT;
use crate::it::stage::access;

/// An output whose reader goes away once it has seen enough.
struct Watched {
    text: Arc<Mutex<String>>,
    screens: usize,
}

impl Write for Watched {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = self.text.lock().unwrap();
        if text.matches("Environment test").count() >= self.screens {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        text.push_str(str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn status_is_shown_again_and_again_until_nobody_reads_it() {
    let stage = Box::pin(applied()).await;
    let text = Arc::new(Mutex::new(String::new()));
    let output = Watched { text: Arc::clone(&text), screens: 3 };
    let (cloud, root) = (&stage.cloud, stage.root.clone());
    let mut host = Host::new(root, Box::new(io::empty()), Box::new(output), Box::new(io::sink()));
    host.access = access(cloud, ACCOUNT, &stage.root);
    host.lookup = Arc::new(Dns(Arc::clone(cloud.world())));
    host.screen_every = Duration::from_millis(100);
    let watching = tokio::task::spawn_blocking(move || {
        run(["sesinfra", "status", "test", "--watch"].map(OsString::from), &host)
    });
    let screens = || text.lock().unwrap().matches("Environment test").count();
    while screens() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let lost = lose_a_dkim_record(&stage).await;
    let ended = tokio::time::timeout(Duration::from_mins(1), watching).await.unwrap().unwrap();
    let text = text.lock().unwrap().clone();
    let (older, newest) = text.rsplit_once("Environment test").unwrap();
    assert_eq!(ended, 5, "the sandbox needs attention: {text}");
    assert!(!older.split("Environment test").nth(1).unwrap().contains("is missing"), "{text}");
    assert!(newest.contains(&format!("{lost} is missing")), "{text}");
}
