//! A toy cloud, strict where services are: it refuses what exists, what is missing and what is still in use; its reads may
//! lag its writes; and it can be cut off at any call. It keeps by itself who made what, so that after every call it can
//! check what marks must say (see `after_write`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::{Mutex, MutexGuard};

use sesinfra::engine::{BoxError, Marks, Ownership};

use super::survey::Survey;
use super::wants::Want;

/// The owner that the laws act as.
pub const US: &str = "us";

/// Everything that exists.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub houses: BTreeMap<String, House>,
    pub bells: BTreeMap<String, Bell>,
    /// Texts by street, and there by `SIGN/KEY`.
    pub streets: BTreeMap<String, BTreeMap<String, Text>>,
    /// Houses whose garden may be fenced.
    pub permits: BTreeSet<String>,
    /// What is nobody's and somebody asked for, by address: only this may become ours.
    pub consents: BTreeSet<String>,
    serial: u64,
}

/// What a root's tags say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tags {
    pub owner: Option<String>,
    pub marks: Marks,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct House {
    pub colour: String,
    pub plot: String,
    pub lock: String,
    /// Assigned; another for every lock.
    pub key: String,
    pub tags: Tags,
    pub garden: Option<Garden>,
    pub rooms: BTreeMap<String, Room>,
    /// Each with its rent, and whether we let it in.
    pub lodgers: BTreeMap<String, (u32, bool)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Garden {
    pub plants: String,
    pub fenced: bool,
    pub lit_by: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Room {
    pub size: u32,
    /// The bell's name, and which of all bells that ever had that name it is wired to. The second cannot be read.
    pub bell: Option<(String, u64)>,
    pub code: Option<String>,
    pub ours: bool,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bell {
    pub tone: String,
    pub metal: String,
    pub serial: u64,
    pub tags: Tags,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    pub text: String,
    pub ours: bool,
}

impl Tags {
    pub fn ownership(&self) -> Ownership {
        match self.owner.as_deref() {
            Some(US) => Ownership::Ours,
            Some(other) => Ownership::Foreign(other.to_owned()),
            None => Ownership::Unowned,
        }
    }

    pub fn ours(marks: &Marks) -> Self {
        Self { owner: Some(US.to_owned()), marks: marks.clone() }
    }
}

impl State {
    pub fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// Our house `name`. Touching anybody else's is what the engine must never do.
    pub fn our_house(&mut self, name: &str) -> Result<&mut House, BoxError> {
        let house = self.houses.get_mut(name).ok_or_else(|| format!("no house {name}"))?;
        assert_eq!(house.tags.ownership(), Ownership::Ours, "touched house {name}, not ours");
        Ok(house)
    }

    /// Our bell `name`.
    pub fn our_bell(&mut self, name: &str) -> Result<&mut Bell, BoxError> {
        let bell = self.bells.get_mut(name).ok_or_else(|| format!("no bell {name}"))?;
        assert_eq!(bell.tags.ownership(), Ownership::Ours, "touched bell {name}, not ours");
        Ok(bell)
    }

    fn may_become_ours(&self, address: &str) {
        assert!(self.consents.contains(address), "{address} was adopted, and nobody asked for it");
    }

    /// Writes the marks of our house `name`, or of one that somebody asked for: what they name is ours from now on.
    pub fn mark_house(&mut self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let house = self.houses.get(name).ok_or_else(|| format!("no house {name}"))?.clone();
        match house.tags.ownership() {
            Ownership::Ours => {}
            Ownership::Unowned => self.may_become_ours(&format!("house.{name}")),
            other => panic!("marked house {name}, which is {other:?}"),
        }
        for (room, _) in house.rooms.iter().filter(|(_, room)| !room.ours) {
            if marks.children.contains(&format!("room:{room}")) {
                self.may_become_ours(&format!("room.{name}/{room}"));
                self.houses.get_mut(name).unwrap().rooms.get_mut(room).unwrap().ours = true;
            }
        }
        for (lodger, _) in house.lodgers.iter().filter(|(_, (_, ours))| !ours) {
            if marks.children.contains(&format!("lodger:{lodger}")) {
                self.may_become_ours(&format!("lodger.{name}/{lodger}"));
                self.houses.get_mut(name).unwrap().lodgers.get_mut(lodger).unwrap().1 = true;
            }
        }
        self.houses.get_mut(name).unwrap().tags = Tags::ours(marks);
        Ok(())
    }

    /// Writes the marks of our bell `name`, or of one that somebody asked for.
    pub fn mark_bell(&mut self, name: &str, marks: &Marks) -> Result<(), BoxError> {
        let bell = self.bells.get(name).ok_or_else(|| format!("no bell {name}"))?;
        match bell.tags.ownership() {
            Ownership::Ours => {}
            Ownership::Unowned => self.may_become_ours(&format!("bell.{name}")),
            other => panic!("marked bell {name}, which is {other:?}"),
        }
        self.bells.get_mut(name).unwrap().tags = Tags::ours(marks);
        Ok(())
    }

    /// Takes over the text at `place`, which is of the sign `sign`.
    pub fn adopt_text(&mut self, street: &str, place: &str, sign: &str) {
        self.may_become_ours(&format!("sign.{sign}"));
        if let Some(text) = self.streets.get_mut(street).and_then(|texts| texts.get_mut(place)) {
            text.ours = true;
        }
    }

    /// Whether a text of the sign hangs anywhere.
    pub fn hangs(&self, sign: &str) -> bool {
        let start = format!("{sign}/");
        self.streets.values().any(|texts| texts.keys().any(|key| key.starts_with(&start)))
    }

    /// What is not ours.
    pub fn others(&self) -> Self {
        let mut state = self.clone();
        state.serial = 0;
        state.permits.clear();
        state.consents.clear();
        state.houses.retain(|_, house| {
            let foreign = house.tags.ownership() != Ownership::Ours;
            house.rooms.retain(|_, room| foreign || !room.ours);
            house.lodgers.retain(|_, (_, ours)| foreign || !*ours);
            if !foreign {
                *house = House {
                    rooms: std::mem::take(&mut house.rooms),
                    lodgers: std::mem::take(&mut house.lodgers),
                    ..House::default()
                };
            }
            foreign || *house != House::default()
        });
        state.bells.retain(|_, bell| bell.tags.ownership() != Ownership::Ours);
        for texts in state.streets.values_mut() {
            texts.retain(|_, text| !text.ours);
        }
        state.streets.retain(|_, texts| !texts.is_empty());
        state
    }

    /// What is not ours once everything that `want` declares and somebody asked for is.
    pub fn others_after_adopting(&self, want: &Want) -> Self {
        let mut state = self.clone();
        let asked = |address: String| self.consents.contains(&address);
        for (name, house) in &mut state.houses {
            let Some(wanted) = want.houses.get(name) else { continue };
            if house.tags.ownership() == Ownership::Unowned && asked(format!("house.{name}")) {
                house.tags.owner = Some(US.to_owned());
            }
            if house.tags.ownership() != Ownership::Ours {
                continue;
            }
            for (room, it) in &mut house.rooms {
                let declared = wanted.rooms.contains_key(room);
                it.ours |= declared && asked(format!("room.{name}/{room}"));
            }
            for (lodger, it) in &mut house.lodgers {
                let declared = wanted.lodgers.contains_key(lodger);
                it.1 |= declared && asked(format!("lodger.{name}/{lodger}"));
            }
        }
        for (name, bell) in &mut state.bells {
            let is_nobodys = bell.tags.ownership() == Ownership::Unowned;
            if is_nobodys && want.bells.contains_key(name) && asked(format!("bell.{name}")) {
                bell.tags.owner = Some(US.to_owned());
            }
        }
        for (name, sign) in want.signs.iter().filter(|(name, _)| asked(format!("sign.{name}"))) {
            for text in sign.texts.keys() {
                let texts = state.streets.get_mut(&sign.street);
                if let Some(it) = texts.and_then(|it| it.get_mut(&format!("{name}/{text}"))) {
                    it.ours = true;
                }
            }
        }
        state.others()
    }

    /// Every child of ours that exists must be named by the marks of a root of ours.
    fn unmarked(&self) -> Vec<String> {
        let mut unmarked = Vec::new();
        let ours =
            || self.houses.iter().filter(|(_, house)| house.tags.ownership() == Ownership::Ours);
        for (name, house) in ours() {
            let rooms = house.rooms.iter().filter(|(_, room)| room.ours);
            let lodgers = house.lodgers.iter().filter(|(_, (_, ours))| *ours);
            let tokens = rooms
                .map(|(room, _)| format!("room:{room}"))
                .chain(lodgers.map(|(lodger, _)| format!("lodger:{lodger}")));
            let missing = tokens.filter(|token| !house.tags.marks.children.contains(token));
            unmarked.extend(missing.map(|token| format!("{token} of {name}")));
        }
        for (street, texts) in &self.streets {
            for (key, _) in texts.iter().filter(|(_, text)| text.ours) {
                let sign = key.split('/').next().unwrap_or_default();
                let token = format!("{street}/{sign}");
                if !ours().any(|(_, house)| house.tags.marks.children.contains(&token)) {
                    unmarked.push(token);
                }
            }
        }
        unmarked
    }
}

/// Which write is disturbed, counted from 0, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    pub write: usize,
    pub moment: Moment,
    /// Whether everything after it fails too, as when the process dies.
    pub cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    Before,
    After,
}

#[derive(Default)]
struct Inner {
    state: State,
    writes: Vec<String>,
    reads: usize,
    fault: Option<Fault>,
    gone: bool,
    /// What reads see until they are forgotten.
    memory: Option<State>,
    /// How many reads after a write still show the state before it, that state, and for how many more reads.
    lag: usize,
    tells: bool,
    lagging: Option<(State, usize)>,
    want: Want,
    /// What a root's family was declared to be when it was marked as settled.
    /// With the digest of then; none once somebody else spoiled it.
    settled: BTreeMap<String, (String, Option<Want>)>,
}

/// The toy cloud.
#[derive(Default)]
pub struct Town {
    inner: Mutex<Inner>,
    pub survey: Mutex<Survey>,
}

impl Town {
    pub fn new(state: State) -> Self {
        Self { inner: Mutex::new(Inner { state, ..Inner::default() }), ..Self::default() }
    }

    /// Another town just like it.
    pub fn twin(&self) -> Self {
        let inner = self.inner();
        let (state, settled) = (inner.state.clone(), inner.settled.clone());
        let inner = Inner { state, settled, ..Inner::default() };
        Self { inner: Mutex::new(inner), ..Self::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// A new process begins, which wants this; whatever lagged shows by now.
    pub fn begin(&self, want: &Want) {
        let mut inner = self.inner();
        inner.want = want.clone();
        inner.writes.clear();
        inner.reads = 0;
        (inner.gone, inner.fault, inner.memory, inner.lagging) = (false, None, None, None);
        drop(inner);
        self.survey.lock().unwrap().surveyed.clear();
    }

    pub fn disturb(&self, fault: Option<Fault>) {
        self.inner().fault = fault;
    }

    /// From now on reads lag behind writes, by so many reads; and creating a house tells its key.
    pub fn set_lag(&self, reads: usize) {
        let mut inner = self.inner();
        (inner.lag, inner.tells) = (reads, reads > 0);
    }

    /// Whether creating a house tells its key.
    pub fn tells(&self) -> bool {
        self.inner().tells
    }

    pub fn set_tells(&self, tells: bool) {
        self.inner().tells = tells;
    }

    pub fn state(&self) -> State {
        self.inner().state.clone()
    }

    pub fn writes(&self) -> Vec<String> {
        self.inner().writes.clone()
    }

    pub fn reads(&self) -> usize {
        self.inner().reads
    }

    pub fn forget_reads(&self) {
        self.inner().memory = None;
    }

    /// Somebody changes something; no rule of ours holds for that.
    pub fn by_hand(&self, act: impl FnOnce(&mut State)) {
        let mut inner = self.inner();
        act(&mut inner.state);
        let Inner { state, settled, .. } = &mut *inner;
        for (root, (_, want)) in settled {
            want.take_if(|want| want.holds(root, state).is_err());
        }
    }

    /// A call that only reads.
    pub async fn read<R>(&self, look: impl FnOnce(&State) -> R) -> Result<R, BoxError> {
        self.breathe().await;
        let mut inner = self.inner();
        if inner.gone {
            return Err("the process is gone".into());
        }
        inner.reads += 1;
        if inner.memory.is_none() {
            let shown = match inner.lagging.take() {
                Some((before, left)) if left > 0 => {
                    inner.lagging = Some((before.clone(), left - 1));
                    before
                }
                _ => inner.state.clone(),
            };
            inner.memory = Some(shown);
        }
        Ok(look(inner.memory.as_ref().unwrap()))
    }

    /// A call that writes, or is refused.
    pub async fn write<R>(
        &self,
        what: impl Debug,
        effect: impl FnOnce(&mut State) -> Result<R, BoxError>,
    ) -> Result<R, BoxError> {
        self.breathe().await;
        let mut inner = self.inner();
        if inner.gone {
            return Err("the process is gone".into());
        }
        let number = inner.writes.len();
        inner.writes.push(format!("{what:?}"));
        let fault = inner.fault.filter(|fault| fault.write == number);
        inner.gone = fault.is_some_and(|fault| fault.cut);
        if fault.is_some_and(|fault| fault.moment == Moment::Before) {
            return Err("disturbed before its effect".into());
        }
        let before = inner.state.clone();
        let answer = match effect(&mut inner.state) {
            Ok(answer) => answer,
            Err(refused) => {
                inner.state = before;
                return Err(refused);
            }
        };
        if inner.lag > 0 && inner.lagging.is_none() {
            let lag = inner.lag;
            inner.lagging = Some((before, lag));
        }
        // A kind remembers nothing from before a write of its own.
        inner.memory = None;
        inner.after_write();
        if fault.is_some() { Err("disturbed after its effect".into()) } else { Ok(answer) }
    }

    /// Lets others run, now and then, so that calls interleave.
    async fn breathe(&self) {
        let turns = self.inner().writes.len() * 7 % 3;
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
    }
}

impl Inner {
    /// The two invariants of marks: they name every child that exists, and a digest is there only while the family is as
    /// it was declared when the digest was written.
    fn after_write(&mut self) {
        let history = || format!("\nwrites so far: {:#?}", self.writes);
        let unmarked = self.state.unmarked();
        assert!(unmarked.is_empty(), "no marks name {unmarked:?}{}", history());
        let houses = self.state.houses.iter().map(|(name, house)| ("house", name, &house.tags));
        let bells = self.state.bells.iter().map(|(name, bell)| ("bell", name, &bell.tags));
        for (kind, name, tags) in houses.chain(bells) {
            let root = format!("{kind}.{name}");
            let digest = tags.marks.digest.as_ref().filter(|_| tags.ownership() == Ownership::Ours);
            let Some(digest) = digest else {
                self.settled.remove(&root);
                continue;
            };
            let now = || (digest.clone(), Some(self.want.clone()));
            let settled = self.settled.entry(root.clone()).or_insert_with(now);
            if settled.0 != *digest {
                *settled = now();
            }
            let held = settled.1.as_ref().map_or(Ok(()), |want| want.holds(&root, &self.state));
            if let Err(deviation) = held {
                panic!("{root} is marked as settled, but {deviation}{}", history());
            }
        }
    }
}
