//! Replicas of an identity in other Regions, which sign with its key (Deterministic Easy DKIM).
//!
//! Invariant: reads only. SES does not say of an identity that it has replicas (`GetEmailIdentity` has no member for it, of
//! `DkimAttributes` nor `VerificationInfo`); only a replica says whose key it signs with. So they are looked for in the
//! Regions that other environment files of the project are about; elsewhere the refusal of the delete is the first to tell.

use std::collections::BTreeSet;

use super::reading::{Identities, Origin, origin};
use crate::aws::{AwsError, Class, OrAbsent, failed};

impl Identities {
    /// The other Regions with a replica of the identity `name`.
    pub(crate) async fn replicas(&self, name: &str) -> Result<BTreeSet<String>, AwsError> {
        let session = self.session();
        let neighbours = session.neighbours();
        let mut found = BTreeSet::new();
        if name.contains('@') {
            // An address has no key.
            return Ok(found);
        }
        let parent = Origin::Replica(session.arns.region().to_string());
        for region in neighbours.regions() {
            let call = session.ses_in(region).await?.get_email_identity().email_identity(name);
            let place = format!("{name} in {region}");
            let answer = call.send().await.map_err(failed("ses:GetEmailIdentity", place));
            let is_declared = neighbours.replicas_of(name).any(|it| it == region);
            let identity = match answer.or_absent() {
                // Only what a file declares there is certain to concern these credentials.
                Err(error) if error.is(Class::Denied) && !is_declared => continue,
                other => other?,
            };
            let dkim = identity.and_then(|identity| identity.dkim_attributes);
            if dkim.is_some_and(|it| origin(it.signing_attributes_origin.as_ref()) == parent) {
                found.insert(region.to_owned());
            }
        }
        Ok(found)
    }
}
