//! All kinds of one run behind one face. The blanket implementation here is the only place where types are erased.

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Address, BoxError, Change, Field, Glance, Impact, Kind, Life, Live, Marks, Ownership, Put,
    Reading, Wanted,
};

/// A kind whose specs and outputs are JSON.
#[async_trait]
pub trait DynKind: Send + Sync {
    /// See [`Kind::NAME`].
    fn name(&self) -> &'static str;
    /// See [`Kind::LIFE`].
    fn life(&self) -> Life;
    /// See [`Kind::IMMUTABLE`].
    fn immutable(&self) -> &'static [&'static str];
    /// See [`Kind::WRITE_ONLY`].
    fn write_only(&self) -> &'static [&'static str];
    /// See [`Kind::SETTING_OF`].
    fn setting_of(&self) -> Option<&'static str>;
    /// See [`Kind::SAYS_WHOSE`].
    fn says_whose(&self) -> bool;
    /// See [`Kind::examples`].
    fn examples(&self) -> Result<Vec<Value>, BoxError>;
    /// See [`Kind::glance`].
    async fn glance(&self, declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError>;
    /// See [`Kind::hear_of`].
    fn hear_of(&self, declared: &BTreeSet<String>, settled: &BTreeSet<String>);
    /// See [`Kind::read`].
    async fn read(
        &self,
        wanted: &[Wanted<Arc<Value>>],
        reading: Reading,
    ) -> Result<Vec<LiveValue>, BoxError>;
    /// See [`Kind::put`].
    async fn put(&self, change: &Change<Value>) -> Result<Put<Value>, BoxError>;
    /// See [`Kind::parent_is_held`].
    async fn parent_is_held(&self, name: &str, live: &Value) -> Result<Option<String>, BoxError>;
    /// See [`Kind::delete`].
    async fn delete(&self, name: &str, live: &Value) -> Result<Put<Value>, BoxError>;
    /// See [`Kind::place`].
    fn place<'n>(&self, name: &'n str) -> Option<&'n str>;
    /// See [`Kind::retires`].
    fn retires(&self, change: &Change<Value>) -> Result<bool, BoxError>;
    /// See [`Kind::retire`].
    async fn retire(&self, change: &Change<Value>) -> Result<Put<Value>, BoxError>;
    /// See [`Kind::renews_outputs`].
    fn renews_outputs(&self, change: &Change<Value>) -> Result<bool, BoxError>;
    /// See [`Kind::deferral`].
    async fn deferral(
        &self,
        change: &Change<Value>,
        planned: &BTreeSet<Address>,
    ) -> Result<Option<String>, BoxError>;
    /// See [`Kind::impact`].
    fn impact(
        &self,
        from: Option<&Value>,
        to: Option<&Value>,
        fields: &[Field],
    ) -> Result<Impact, BoxError>;
    /// See [`Kind::impact_of_mending`].
    fn impact_of_mending(
        &self,
        from: &Value,
        to: &Value,
        fields: &[Field],
    ) -> Result<Option<Impact>, BoxError>;
    /// See [`Kind::mark`].
    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError>;
    /// See [`Kind::unmark`].
    async fn unmark(&self, name: &str) -> Result<(), BoxError>;
    /// See [`Kind::release`].
    async fn release(&self, name: &str, live: &Value) -> Result<(), BoxError>;
    /// See [`Kind::is_only_let_go`].
    fn is_only_let_go(&self, live: &LiveValue) -> Result<bool, BoxError>;
    /// See [`Kind::remarks`].
    async fn remarks(
        &self,
        wanted: &[Wanted<Arc<Value>>],
    ) -> Result<Vec<(String, String)>, BoxError>;
}

/// A live resource whose spec and outputs are JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveValue {
    /// Its name.
    pub address: Address,
    /// See [`Live::spec`].
    pub spec: Arc<Value>,
    /// See [`Live::outputs`].
    pub outputs: Value,
    /// See [`Live::ownership`].
    pub ownership: Ownership,
    /// See [`Live::parent`].
    pub parent: Option<Address>,
    /// See [`Live::tokens`].
    pub tokens: BTreeSet<String>,
    /// See [`Live::marks`].
    pub marks: Marks,
    /// See [`Live::uses`].
    pub uses: BTreeSet<Address>,
    /// See [`Live::notes`].
    pub notes: Vec<String>,
}

/// A spec's JSON did not have the form that its kind expects, for example in a file of another version.
#[derive(Debug, thiserror::Error)]
#[error("{what} does not have the form of {expected}")]
struct WrongForm {
    what: String,
    expected: &'static str,
    source: serde_json::Error,
}

fn typed<T: DeserializeOwned>(what: &str, value: &Value) -> Result<T, BoxError> {
    T::deserialize(value).map_err(|source| {
        WrongForm { what: what.to_owned(), expected: type_name::<T>(), source }.into()
    })
}

fn erased<T: Serialize>(value: &T) -> Result<Value, BoxError> {
    Ok(serde_json::to_value(value)?)
}

fn typed_change<S: DeserializeOwned>(change: &Change<Value>) -> Result<Change<S>, BoxError> {
    Ok(Change {
        name: change.name.clone(),
        from: change.from.as_ref().map(|from| typed("the live spec", from)).transpose()?,
        to: typed("the wanted spec", &change.to)?,
        fields: change.fields.clone(),
        marks: change.marks.clone(),
        adopts: change.adopts,
    })
}

fn typed_wanted<S: DeserializeOwned>(
    wanted: &[Wanted<Arc<Value>>],
) -> Result<Vec<Wanted<S>>, BoxError> {
    let typed = wanted.iter().map(|one| {
        let spec = one.spec.as_ref().map(|spec| typed("the wanted spec", spec)).transpose()?;
        Ok(Wanted { name: one.name.clone(), spec, aim: one.aim })
    });
    typed.collect()
}

fn erased_put<O: Serialize>(put: Put<O>) -> Result<Put<Value>, BoxError> {
    Ok(match put {
        Put::Done(None) => Put::Done(None),
        Put::Done(Some(outputs)) => Put::Done(Some(erased(&outputs)?)),
        Put::Waiting(reason) => Put::Waiting(reason),
    })
}

fn erased_live<S: Serialize, O: Serialize>(
    kind: &str,
    live: Live<S, O>,
) -> Result<LiveValue, BoxError> {
    let Live { name, spec, outputs, ownership, parent, tokens, marks, uses, notes } = live;
    Ok(LiveValue {
        address: Address::new(kind, name),
        spec: Arc::new(erased(&spec)?),
        outputs: erased(&outputs)?,
        ownership,
        parent,
        tokens,
        marks,
        uses,
        notes,
    })
}

#[async_trait]
impl<K: Kind> DynKind for K {
    fn name(&self) -> &'static str {
        K::NAME
    }

    fn life(&self) -> Life {
        K::LIFE
    }

    fn immutable(&self) -> &'static [&'static str] {
        K::IMMUTABLE
    }

    fn write_only(&self) -> &'static [&'static str] {
        K::WRITE_ONLY
    }

    fn setting_of(&self) -> Option<&'static str> {
        K::SETTING_OF
    }

    fn says_whose(&self) -> bool {
        K::SAYS_WHOSE
    }

    fn examples(&self) -> Result<Vec<Value>, BoxError> {
        K::examples().iter().map(erased).collect()
    }

    async fn glance(&self, declared: &BTreeSet<String>) -> Result<Option<Vec<Glance>>, BoxError> {
        Kind::glance(self, declared).await
    }

    fn hear_of(&self, declared: &BTreeSet<String>, settled: &BTreeSet<String>) {
        Kind::hear_of(self, declared, settled);
    }

    async fn read(
        &self,
        wanted: &[Wanted<Arc<Value>>],
        reading: Reading,
    ) -> Result<Vec<LiveValue>, BoxError> {
        let live = Kind::read(self, &typed_wanted(wanted)?, reading).await?;
        live.into_iter().map(|one| erased_live(K::NAME, one)).collect()
    }

    async fn put(&self, change: &Change<Value>) -> Result<Put<Value>, BoxError> {
        erased_put(Kind::put(self, &typed_change(change)?).await?)
    }

    async fn parent_is_held(&self, name: &str, live: &Value) -> Result<Option<String>, BoxError> {
        Kind::parent_is_held(self, name, &typed("the live spec", live)?).await
    }

    async fn delete(&self, name: &str, live: &Value) -> Result<Put<Value>, BoxError> {
        erased_put(Kind::delete(self, name, &typed("the live spec", live)?).await?)
    }

    fn place<'n>(&self, name: &'n str) -> Option<&'n str> {
        K::place(name)
    }

    fn retires(&self, change: &Change<Value>) -> Result<bool, BoxError> {
        Ok(Kind::retires(self, &typed_change(change)?))
    }

    async fn retire(&self, change: &Change<Value>) -> Result<Put<Value>, BoxError> {
        erased_put(Kind::retire(self, &typed_change(change)?).await?)
    }

    fn renews_outputs(&self, change: &Change<Value>) -> Result<bool, BoxError> {
        Ok(Kind::renews_outputs(self, &typed_change(change)?))
    }

    async fn deferral(
        &self,
        change: &Change<Value>,
        planned: &BTreeSet<Address>,
    ) -> Result<Option<String>, BoxError> {
        Kind::deferral(self, &typed_change(change)?, planned).await
    }

    fn impact(
        &self,
        from: Option<&Value>,
        to: Option<&Value>,
        fields: &[Field],
    ) -> Result<Impact, BoxError> {
        let from = from.map(|from| typed("the live spec", from)).transpose()?;
        let to = to.map(|to| typed("the wanted spec", to)).transpose()?;
        Ok(Kind::impact(self, from.as_ref(), to.as_ref(), fields))
    }

    fn impact_of_mending(
        &self,
        from: &Value,
        to: &Value,
        fields: &[Field],
    ) -> Result<Option<Impact>, BoxError> {
        let (from, to) = (typed("the live spec", from)?, typed("the wanted spec", to)?);
        Ok(Kind::impact_of_mending(self, &from, &to, fields))
    }

    async fn mark(&self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        Kind::mark(self, name, marks).await
    }

    async fn unmark(&self, name: &str) -> Result<(), BoxError> {
        Kind::unmark(self, name).await
    }

    async fn release(&self, name: &str, live: &Value) -> Result<(), BoxError> {
        Kind::release(self, name, &typed("the live spec", live)?).await
    }

    fn is_only_let_go(&self, live: &LiveValue) -> Result<bool, BoxError> {
        let outputs = typed("the outputs", &live.outputs)?;
        Ok(Kind::is_only_let_go(self, &typed("the live spec", &live.spec)?, &outputs))
    }

    async fn remarks(
        &self,
        wanted: &[Wanted<Arc<Value>>],
    ) -> Result<Vec<(String, String)>, BoxError> {
        Kind::remarks(self, &typed_wanted(wanted)?).await
    }
}

/// The kinds of one run, by name.
#[derive(Clone, Default)]
pub struct Registry {
    kinds: BTreeMap<&'static str, Arc<dyn DynKind>>,
}

impl Registry {
    /// The same with `kind` too.
    #[must_use]
    pub fn with(mut self, kind: impl Kind) -> Self {
        self.kinds.insert(kind.name(), Arc::new(kind));
        self
    }

    /// The kind called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn DynKind>> {
        self.kinds.get(name)
    }

    /// All kinds in the order of their names.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<dyn DynKind>> {
        self.kinds.values()
    }
}
