//! The settings of the account in one Region: suppression, sending, the Virtual Deliverability Manager, warm-up.
//!
//! Invariant: a spec holds what is declared and nothing else, wanted and live alike, so what is not declared is neither
//! compared nor written. Where one call writes more than is declared, the rest is written as it was read.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sesv2::operation::get_account::GetAccountOutput;
use aws_sdk_sesv2::types::{
    DashboardAttributes, FeatureStatus, GuardianAttributes, SuppressionListReason, VdmAttributes,
};
use serde::{Deserialize, Serialize};

use crate::aws::{Session, failed};
use crate::engine::{
    BoxError, Change, Field, Impact, Kind, Life, Live, Marks, Ownership, Put, Reading, Severity,
    Wanted, touches,
};
use crate::kinds::{Documented, Input, Permission, Phase, Scope};

/// What SES calls the state of an account whose sending AWS has paused.
const SHUTDOWN: &str = "SHUTDOWN";

/// The kind `account`. Its one resource is named as the Region is.
pub struct Account {
    session: Arc<Session>,
}

/// The declared settings of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spec {
    /// What puts an address on the suppression list: `bounce`, `complaint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppress: Option<BTreeSet<String>>,
    /// Whether the account sends at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<bool>,
    /// The Virtual Deliverability Manager.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vdm: Option<Vdm>,
    /// Whether new dedicated IP addresses get their share of the mail little by little.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedicated_ip_warmup: Option<bool>,
}

/// The Virtual Deliverability Manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vdm {
    /// Whether it is on.
    pub enabled: bool,
    /// Whether opens and clicks are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engagement: Option<bool>,
    /// Whether SES chooses the shared IP by the receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub optimized_delivery: Option<bool>,
}

impl Account {
    /// The account of a session.
    #[must_use]
    pub fn new(session: &Arc<Session>) -> Self {
        Self { session: Arc::clone(session) }
    }

    async fn put_suppression(&self, reasons: &BTreeSet<String>) -> Result<(), BoxError> {
        let live = self.session.account().await?;
        let validation = live.suppression_attributes.as_ref();
        let validation = validation.and_then(|it| it.validation_attributes.clone());
        let reasons = reasons.iter().map(|it| it.to_uppercase());
        let reasons = reasons.map(|it| SuppressionListReason::from(it.as_str())).collect();
        // A list left out means the same as an empty one here, so it is always sent.
        let call = self.session.ses().put_account_suppression_attributes();
        let call = call.set_suppressed_reasons(Some(reasons)).set_validation_attributes(validation);
        call.send().await.map_err(failed("ses:PutAccountSuppressionAttributes", "the account"))?;
        Ok(())
    }

    async fn put_sending(&self, sending: bool) -> Result<(), BoxError> {
        let call = self.session.ses().put_account_sending_attributes().sending_enabled(sending);
        call.send().await.map_err(failed("ses:PutAccountSendingAttributes", "the account"))?;
        Ok(())
    }

    async fn put_warmup(&self, warmup: bool) -> Result<(), BoxError> {
        let call = self.session.ses().put_account_dedicated_ip_warmup_attributes();
        let answer = call.auto_warmup_enabled(warmup).send().await;
        answer.map_err(failed("ses:PutAccountDedicatedIpWarmupAttributes", "the account"))?;
        Ok(())
    }

    async fn put_vdm(&self, vdm: Vdm) -> Result<(), BoxError> {
        let live = live_vdm(&*self.session.account().await?);
        // AWS refuses nothing here while the manager is off, and keeps nothing either.
        let part = |wanted: Option<bool>, live: Option<bool>| {
            wanted.or(live).filter(|_| vdm.enabled).map(status)
        };
        let engagement = part(vdm.engagement, live.engagement);
        let shared = part(vdm.optimized_delivery, live.optimized_delivery);
        let attributes = VdmAttributes::builder()
            .vdm_enabled(status(vdm.enabled))
            .set_dashboard_attributes(
                engagement.map(|it| DashboardAttributes::builder().engagement_metrics(it).build()),
            )
            .set_guardian_attributes(
                shared
                    .map(|it| GuardianAttributes::builder().optimized_shared_delivery(it).build()),
            )
            .build()?;
        let call = self.session.ses().put_account_vdm_attributes().vdm_attributes(attributes);
        call.send().await.map_err(failed("ses:PutAccountVdmAttributes", "the account"))?;
        Ok(())
    }

    async fn write(&self, change: &Change<Spec>) -> Result<(), BoxError> {
        let to = &change.to;
        if let Some(reasons) = to.suppress.as_ref().filter(|_| change.touches("suppress")) {
            self.put_suppression(reasons).await?;
        }
        if let Some(vdm) = to.vdm.filter(|_| change.touches("vdm")) {
            self.put_vdm(vdm).await?;
        }
        if let Some(warmup) =
            to.dedicated_ip_warmup.filter(|_| change.touches("dedicated_ip_warmup"))
        {
            self.put_warmup(warmup).await?;
        }
        if let Some(sending) = to.sending.filter(|_| change.touches("sending")) {
            self.put_sending(sending).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Kind for Account {
    const NAME: &'static str = "account";
    const LIFE: Life = Life::Setting;

    type Spec = Spec;
    type Outputs = ();

    async fn read(
        &self,
        wanted: &[Wanted<Spec>],
        _reading: Reading,
    ) -> Result<Vec<Live<Spec, ()>>, BoxError> {
        let mut found = Vec::new();
        for one in wanted {
            let live = self.session.account().await?;
            let declared = one.spec.clone().unwrap_or_default();
            found.push(Live {
                name: one.name.clone(),
                spec: spec_of(&live, &declared),
                outputs: (),
                ownership: Ownership::Ours,
                parent: None,
                tokens: BTreeSet::new(),
                marks: Marks::default(),
                uses: BTreeSet::new(),
                notes: Vec::new(),
            });
        }
        Ok(found)
    }

    async fn put(&self, change: &Change<Spec>) -> Result<Put<()>, BoxError> {
        let written = self.write(change).await;
        // Also where a later call failed: an earlier one may have written.
        self.session.forget_account();
        written.map(|()| Put::Done(None))
    }

    async fn delete(&self, _name: &str, _live: &Spec) -> Result<Put<()>, BoxError> {
        // Nobody knows what it was before, and others may rely on what it is.
        Ok(Put::Done(None))
    }

    fn impact(&self, from: Option<&Spec>, to: Option<&Spec>, fields: &[Field]) -> Impact {
        let Some(to) = to else { return Impact::safe() };
        if to.sending == Some(false) && touches(fields, "sending") {
            return Impact::new(
                Severity::StopsMail,
                "all mail of the account in this Region is refused, that of other projects too",
            );
        }
        let before = from.and_then(|from| from.suppress.as_ref());
        let lost = before.zip(to.suppress.as_ref()).map(|(before, now)| before.difference(now));
        let lost: Vec<&str> = lost.into_iter().flatten().map(String::as_str).collect();
        if !lost.is_empty() {
            return Impact::new(
                Severity::Degrades,
                format!(
                    "addresses are written to again after a {}, which costs reputation",
                    lost.join(" or a ")
                ),
            );
        }
        if to.dedicated_ip_warmup == Some(false) && touches(fields, "dedicated_ip_warmup") {
            return Impact::new(
                Severity::Degrades,
                "new dedicated IP addresses get all of the mail at once, which receivers distrust",
            );
        }
        if to.vdm.is_some_and(|vdm| vdm.enabled) && touches(fields, "vdm.enabled") {
            return Impact::new(Severity::Safe, "AWS charges extra for every message from now on");
        }
        Impact::safe()
    }

    fn examples() -> Vec<Spec> {
        vec![
            Spec {
                suppress: Some(BTreeSet::new()),
                sending: Some(false),
                vdm: Some(Vdm { enabled: false, engagement: None, optimized_delivery: None }),
                dedicated_ip_warmup: Some(false),
            },
            Spec {
                suppress: Some(BTreeSet::from(["bounce".to_owned(), "complaint".to_owned()])),
                sending: Some(true),
                vdm: Some(Vdm {
                    enabled: true,
                    engagement: Some(true),
                    optimized_delivery: Some(false),
                }),
                dedicated_ip_warmup: Some(true),
            },
        ]
    }
}

/// What is live of that which is declared.
fn spec_of(live: &GetAccountOutput, declared: &Spec) -> Spec {
    let reasons = || {
        let reasons =
            live.suppression_attributes.as_ref().and_then(|it| it.suppressed_reasons.as_ref());
        reasons.into_iter().flatten().map(|reason| reason.as_str().to_lowercase()).collect()
    };
    // While AWS itself has paused the account, what was set here does not show, and setting it changes nothing.
    let is_paused_by_aws = live.enforcement_status.as_deref() == Some(SHUTDOWN);
    let sending = |declared| if is_paused_by_aws { declared } else { live.sending_enabled };
    Spec {
        suppress: declared.suppress.as_ref().map(|_| reasons()),
        sending: declared.sending.map(sending),
        vdm: declared.vdm.map(|declared| {
            let live = live_vdm(live);
            Vdm {
                enabled: live.enabled,
                engagement: declared.engagement.and(live.engagement),
                optimized_delivery: declared.optimized_delivery.and(live.optimized_delivery),
            }
        }),
        dedicated_ip_warmup: declared
            .dedicated_ip_warmup
            .map(|_| live.dedicated_ip_auto_warmup_enabled),
    }
}

/// The manager was never touched where it is missing; its parts are shown only while it is on.
fn live_vdm(live: &GetAccountOutput) -> Vdm {
    let vdm = live.vdm_attributes.as_ref();
    let vdm = vdm.filter(|vdm| vdm.vdm_enabled == FeatureStatus::Enabled);
    let is_on = |status: Option<&FeatureStatus>| status == Some(&FeatureStatus::Enabled);
    Vdm {
        enabled: vdm.is_some(),
        engagement: vdm.map(|vdm| {
            is_on(vdm.dashboard_attributes.as_ref().and_then(|it| it.engagement_metrics.as_ref()))
        }),
        optimized_delivery: vdm.map(|vdm| {
            let guardian = vdm.guardian_attributes.as_ref();
            is_on(guardian.and_then(|it| it.optimized_shared_delivery.as_ref()))
        }),
    }
}

const fn status(on: bool) -> FeatureStatus {
    if on { FeatureStatus::Enabled } else { FeatureStatus::Disabled }
}

impl Documented for Account {
    const PERMISSIONS: &'static [Permission] = &[
        Permission { action: "ses:GetAccount", resource: Scope::Everything, phase: Phase::Plan },
        write("ses:PutAccountSuppressionAttributes"),
        write("ses:PutAccountSendingAttributes"),
        write("ses:PutAccountVdmAttributes"),
        write("ses:PutAccountDedicatedIpWarmupAttributes"),
    ];
    const INPUTS: &'static [Input] = &[
        Input {
            operation: "PutAccountSuppressionAttributes",
            service: "sesv2",
            managed: &["suppressed_reasons"],
            excluded: &[(
                "validation_attributes",
                "written as it was read: sets say it for themselves",
            )],
        },
        Input {
            operation: "PutAccountSendingAttributes",
            service: "sesv2",
            managed: &["sending_enabled"],
            excluded: &[],
        },
        Input {
            operation: "PutAccountVdmAttributes",
            service: "sesv2",
            managed: &[
                "vdm_attributes.vdm_enabled",
                "vdm_attributes.dashboard_attributes.engagement_metrics",
                "vdm_attributes.guardian_attributes.optimized_shared_delivery",
            ],
            excluded: &[],
        },
        Input {
            operation: "PutAccountDedicatedIpWarmupAttributes",
            service: "sesv2",
            managed: &["auto_warmup_enabled"],
            excluded: &[],
        },
    ];
}

/// None of these can be limited to a resource (service authorization reference of SES).
const fn write(action: &'static str) -> Permission {
    Permission { action, resource: Scope::Setting, phase: Phase::Apply }
}
