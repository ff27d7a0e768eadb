//! Names and values that SES makes up: known before any plan for an identity that exists.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Dns, Spec};
use crate::aws::AwsError;
use crate::engine::{Arg, Wanted};

/// The outputs of identities that exist, by their names.
type Known = BTreeMap<String, BTreeMap<String, String>>;

impl Dns {
    /// What is wanted, with the names that SES already says. So a record that others made at such a name is seen before
    /// anything is written.
    pub(super) async fn with_known_names<'a>(
        &self,
        wanted: &'a [Wanted<Spec>],
    ) -> Result<Cow<'a, [Wanted<Spec>]>, AwsError> {
        let referred = |arg: &Arg<String>| match arg {
            Arg::Output { address, .. } if address.kind() == "identity" => {
                Some(address.name().to_owned())
            }
            _ => None,
        };
        let records = wanted.iter().filter_map(|one| one.spec.as_ref());
        let records = records.flat_map(|spec| spec.records.values());
        let names: Vec<String> = records.filter_map(|record| referred(&record.name)).collect();
        if names.is_empty() {
            return Ok(Cow::Borrowed(wanted));
        }
        let known = self.identities.known_outputs(names).await?;
        let mut wanted = wanted.to_vec();
        for record in wanted
            .iter_mut()
            .filter_map(|one| one.spec.as_mut())
            .flat_map(|spec| spec.records.values_mut())
        {
            for arg in [&mut record.name, &mut record.value] {
                resolve(arg, &known);
            }
        }
        Ok(Cow::Owned(wanted))
    }
}

fn resolve(arg: &mut Arg<String>, known: &Known) {
    let Arg::Output { address, path } = &arg else { return };
    let value = known.get(address.name()).and_then(|outputs| outputs.get(path));
    if let Some(value) = value {
        *arg = Arg::Known(value.clone());
    }
}
