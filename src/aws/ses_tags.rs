//! Tags as SES has them, which identities and configuration sets carry alike.

use std::collections::BTreeMap;

use aws_sdk_sesv2::types::Tag;

use super::{AwsError, Session, TagChanges, failed};

/// Tags for a call to SES.
#[must_use]
pub fn to_ses(tags: &BTreeMap<String, String>) -> Vec<Tag> {
    // Building fails only without a key or a value, and both are given.
    tags.iter()
        .filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok())
        .collect()
}

/// Tags from an answer of SES.
#[must_use]
pub fn from_ses(tags: Option<Vec<Tag>>) -> BTreeMap<String, String> {
    tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()
}

/// Carries out tag changes on `arn`, which is called `name` should it fail. What was read of it before is out of date then.
pub async fn change(
    session: &Session,
    arn: &str,
    name: &str,
    changes: TagChanges,
) -> Result<(), AwsError> {
    let ses = session.ses();
    if !changes.set.is_empty() {
        let call = ses.tag_resource().resource_arn(arn).set_tags(Some(to_ses(&changes.set)));
        call.send().await.map_err(failed("ses:TagResource", name))?;
    }
    if !changes.unset.is_empty() {
        let keys = changes.unset.into_iter().collect();
        let call = ses.untag_resource().resource_arn(arn).set_tag_keys(Some(keys));
        call.send().await.map_err(failed("ses:UntagResource", name))?;
    }
    Ok(())
}
