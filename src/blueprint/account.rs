//! The settings of the account, as far as the file declares any.
//!
//! Invariant: what the file leaves out is not in the spec, so nothing can touch it.

use super::Draft;
use crate::engine::Address;
use crate::environment::Environment;
use crate::environment::types::{AccountVdm, SuppressionReason};
use crate::kinds::account::{Spec, Vdm};

/// Adds them to `into`.
pub(super) fn account(environment: &Environment, into: &mut Draft) {
    let declared = &environment.settings.account;
    let spec = Spec {
        suppress: declared
            .suppress
            .as_ref()
            .map(|reasons| reasons.iter().map(|reason| word(*reason).to_owned()).collect()),
        sending: declared.sending,
        vdm: declared.vdm.map(|AccountVdm { enabled, engagement, optimized_delivery }| Vdm {
            enabled,
            engagement,
            optimized_delivery,
        }),
        dedicated_ip_warmup: declared.dedicated_ip_warmup,
    };
    if spec == Spec::default() {
        return;
    }
    // There is one for each account and Region; the account is the environment's own.
    let address = Address::new("account", environment.settings.aws.region.as_str());
    if let Some(resource) = into.resource(address, &spec) {
        into.add(resource);
    }
}

const fn word(reason: SuppressionReason) -> &'static str {
    match reason {
        SuppressionReason::Bounce => "bounce",
        SuppressionReason::Complaint => "complaint",
    }
}
