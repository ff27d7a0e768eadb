//! Keeps a world between runs: one JSON file for each service, written beside its place and renamed into it, so that a
//! file is always whole.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use parking_lot::RwLock;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::world::World;

/// The data of earlier runs cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the local cloud's data in {}: {reason}", path.display())]
pub struct DataError {
    path: PathBuf,
    reason: String,
}

/// A state that can be written down.
trait Kept {
    fn write(&self) -> serde_json::Result<Vec<u8>>;
    fn value(&self) -> serde_json::Result<Value>;
    fn read(&self, bytes: &[u8]) -> serde_json::Result<()>;
}

impl<T: Serialize + DeserializeOwned> Kept for RwLock<T> {
    fn write(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&*self.read())
    }

    fn value(&self) -> serde_json::Result<Value> {
        serde_json::to_value(&*self.read())
    }

    fn read(&self, bytes: &[u8]) -> serde_json::Result<()> {
        *self.write() = serde_json::from_slice(bytes)?;
        Ok(())
    }
}

/// The states that are kept, by file name.
fn kept(world: &World) -> Vec<(&'static str, &dyn Kept)> {
    vec![
        ("iam", &*world.iam),
        ("sns", &*world.sns),
        ("sqs", &*world.sqs),
        ("route53", &*world.route53),
        ("cloudwatch", &*world.cloudwatch),
        ("quotas", &*world.quotas),
        ("ssm", &*world.ssm),
        ("kms", &*world.kms),
        ("secrets", &*world.secrets),
        ("events", &*world.events),
        ("firehose", &*world.firehose),
        ("tagging", &*world.tagging),
        ("ses", &*world.ses),
        ("memory", &*world.memory),
    ]
}

/// All that is kept, by service, for comparing one world with another.
pub(crate) fn values(world: &World) -> serde_json::Result<BTreeMap<&'static str, Value>> {
    kept(world).into_iter().map(|(name, state)| Ok((name, state.value()?))).collect()
}

fn file(directory: &Path, name: &str) -> PathBuf {
    directory.join(format!("{name}.json"))
}

/// Reads what an earlier run has kept; what is not there stays as it is.
pub(crate) fn load(world: &World, directory: &Path) -> Result<(), DataError> {
    for (name, state) in kept(world) {
        let path = file(directory, name);
        match fs::read(&path) {
            Ok(bytes) => Kept::read(state, &bytes).map_err(|error| DataError {
                path,
                reason: format!("{error}; `reset` clears it"),
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(DataError { path, reason: error.to_string() }),
        }
    }
    Ok(())
}

/// Writes everything down.
pub(crate) fn save(world: &World, directory: &Path) -> Result<(), DataError> {
    let failed = |path: &Path, reason: String| DataError { path: path.to_owned(), reason };
    fs::create_dir_all(directory).map_err(|error| failed(directory, error.to_string()))?;
    for (name, state) in kept(world) {
        let path = file(directory, name);
        let bytes = Kept::write(state).map_err(|error| failed(&path, error.to_string()))?;
        let beside = path.with_extension("json.new");
        fs::write(&beside, bytes)
            .and_then(|()| fs::rename(&beside, &path))
            .map_err(|error| failed(&path, error.to_string()))?;
    }
    Ok(())
}
